"""A call of which nothing is left unless it succeeds: what it has mapped it unmaps, whatever it is that ends it."""

from __future__ import annotations

from fencepost.hw.mapping.arguments import Arguments
from fencepost.hw.mapping.client import Client
from fencepost.hw.mapping.process import Process

__all__ = ["Transactional"]


class Transactional:
    """One call for all GPUs, with the strict rule: one that was interrupted has had no effect.

    It looks for signals after each GPU and while it waits, and holds the mutex throughout, so that no other call builds
    on what may be undone. It begins anew after each signal, and so may never end.

    Undoing waits for what is on its way and for its reversal, and no signal ends that; nor does a hung SDMA engine.
    What runs on a GPU loses the pages it may be using.

    Args:
        process: whose buffers.
        at_once: whether undoing costs nothing and waits for nobody, as no hardware can.
    """

    def __init__(self, process: Process, *, at_once: bool = False) -> None:
        self._process = process
        self._at_once = at_once

    def map(self, client: Client, arguments: Arguments) -> None:
        client.call(self._map, arguments)

    def _map(self, client: Client, arguments: Arguments) -> None:
        process = self._process
        with process.entered(client, arguments):
            mapped: list[int] = []
            try:
                for device in arguments.devices:
                    if process.map(client, arguments.handle, device):
                        mapped.append(device)
                    client.check()
                process.finish(client, process.started(arguments.handle, arguments.devices))
            except OSError:
                self._undo(client, arguments.handle, mapped)
                raise

    def _undo(self, client: Client, handle: int, devices: list[int]) -> None:
        if self._at_once:
            for device in devices:
                self._process.revoke(handle, device)
        else:
            self._process.unmap_for_good(client, handle, devices)
        self._process.unpin_unmapped(handle)
