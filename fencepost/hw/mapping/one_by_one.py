"""A call for each GPU, and one to wait for all of them."""

from __future__ import annotations

from fencepost.hw.mapping.arguments import Arguments
from fencepost.hw.mapping.client import Client
from fencepost.hw.mapping.each import finish_each, started_each
from fencepost.hw.mapping.process import Process

__all__ = ["OneByOne"]


class OneByOne:
    """As many calls as GPUs, each of which starts one update, and another that waits.

    The client knows how far it is, since it counts by itself; a signal concerns the one call that it meets. At the
    first GPU that fails it gives up.

    Args:
        process: whose buffers.
    """

    def __init__(self, process: Process) -> None:
        self._process = process

    def map(self, client: Client, arguments: Arguments) -> None:
        arguments.check(range(len(self._process.gpus)))
        arguments.status = (None,) * len(arguments.devices)
        for place, device in enumerate(arguments.devices):
            try:
                client.call(self._map, Arguments(arguments.handle, (device,)))
            except OSError as error:
                arguments.tell(place, error)
                raise
        client.call(self._wait, arguments)

    def _map(self, client: Client, arguments: Arguments) -> None:
        with self._process.entered(client, arguments):
            self._process.map(client, arguments.handle, arguments.devices[0])

    def _wait(self, client: Client, arguments: Arguments) -> None:
        with self._process.entered(client, arguments):
            started = started_each(self._process, arguments)
        finish_each(self._process, client, arguments, started)
