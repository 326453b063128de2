"""The call that was built: it maps on one GPU after the other, waits for all, and can go on where it was broken off."""

from __future__ import annotations

from fencepost.hw.mapping.arguments import Arguments
from fencepost.hw.mapping.client import Client
from fencepost.hw.mapping.process import Process

__all__ = ["AsBuilt"]


class AsBuilt:
    """One call for all GPUs, which counts how many it has started.

    The argument block comes back whether the call failed or not, so one that is made again goes on behind those. What
    is mapped already is not mapped again; without counting that alone protects what was done.

    What fails leaves the GPUs before it mapped, though no TLB was flushed: nothing is to be relied on until a call
    returns without an error. (kernel: kfd_ioctl_map_memory_to_gpu)

    Args:
        process: whose buffers.
        counts: whether it uses n_success.
        holds_mutex: whether it holds the mutex of the process while it waits. If not, another call may undo what this
            one waits for, and this one then succeeds for what was there meanwhile.
        polls: whether it looks for signals before each GPU.

    Attributes:
        counts: as given.
    """

    def __init__(
        self, process: Process, *, counts: bool = True, holds_mutex: bool = False, polls: bool = False
    ) -> None:
        self._process = process
        self.counts = counts
        self._holds_mutex = holds_mutex
        self._polls = polls

    def map(self, client: Client, arguments: Arguments) -> None:
        try:
            client.call(self._map, arguments)
        finally:
            self._process.ledger.check_monotone(client.told)

    def _map(self, client: Client, arguments: Arguments) -> None:
        process = self._process
        with process.entered(client, arguments):
            self._start(client, arguments)
            started = process.started(arguments.handle, arguments.devices)
            if self._holds_mutex:
                process.finish(client, started)
        if not self._holds_mutex:
            process.finish(client, started)

    def _start(self, client: Client, arguments: Arguments) -> None:
        done = arguments.n_success if self.counts else 0
        for place, device in enumerate(arguments.devices[done:], done + 1):
            if self._polls:
                client.check()
            self._process.map(client, arguments.handle, device)
            if self.counts:
                arguments.n_success = place
