"""Two calls: one starts the mapping and returns a fence, the other waits for a fence."""

from __future__ import annotations

import errno

from fencepost.fences import Fence, FenceArray, get_stub
from fencepost.hw.mapping.arguments import Arguments
from fencepost.hw.mapping.client import Client, check_fences
from fencepost.hw.mapping.process import Process, Started

__all__ = ["FenceReturning"]


class FenceReturning:
    """Starts all updates in a call that no signal interrupts, and waits in another, which can be made again.

    When a GPU fails, the fence stands for those before it, and the client decides what to make of them.

    Args:
        process: whose buffers.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        # Protected by the mutex of the process.
        self._started: dict[int, tuple[Fence, Started]] = {}
        self._last_handle = 0

    def map(self, client: Client, arguments: Arguments) -> None:
        self.start(client, arguments)
        self.wait(client, arguments)

    def start(self, client: Client, arguments: Arguments) -> None:
        """Start the mapping; the arguments get a fence.

        They do so also when this raises OSError for one GPU, but not when a reset has lost what was started before.
        """
        client.call(self._start, arguments)

    def wait(self, client: Client, arguments: Arguments) -> None:
        """Block until the fence has signalled and the GPUs know what was mapped; that is the end of the fence.

        Raises OSError: ETIME when `timeout_s` was over first, after which it can be waited for again; ENOENT for no
        such fence; the error of the fence.
        """
        client.call(self._wait, arguments)

    def fence(self, arguments: Arguments) -> Fence:
        """Return the fence itself, to be polled or for others to depend on. Raises OSError ENOENT for no such fence."""
        with self._process.mutex:
            return self._found(arguments)[0]

    def _start(self, client: Client, arguments: Arguments) -> None:
        with self._process.entered(client, arguments):
            count = 0
            try:
                for device in arguments.devices:
                    self._process.map(client, arguments.handle, device)
                    count += 1
            finally:
                if count:
                    self._keep(arguments, self._process.started(arguments.handle, arguments.devices[:count]))

    def _keep(self, arguments: Arguments, started: Started) -> None:
        fences = [update.fence for update in started.updates]
        self._last_handle += 1
        self._started[self._last_handle] = FenceArray(fences) if fences else get_stub(), started
        arguments.fence = self._last_handle

    def _wait(self, client: Client, arguments: Arguments) -> None:
        client.check()
        with self._process.mutex:
            fence, started = self._found(arguments)
        client.begin_wait()
        client.wait(fence, arguments.timeout_s)
        with self._process.mutex:
            self._started.pop(arguments.fence, None)
        check_fences(update.fence for update in started.updates)
        self._process.flush(started)

    def _found(self, arguments: Arguments) -> tuple[Fence, Started]:
        if arguments.fence not in self._started:
            raise OSError(errno.ENOENT, f"{self._process!r} has no fence {arguments.fence}")
        return self._started[arguments.fence]
