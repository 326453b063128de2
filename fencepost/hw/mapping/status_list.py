"""A call that goes on when a GPU fails, and tells the client of each how it went."""

from __future__ import annotations

from fencepost.hw.mapping.arguments import Arguments
from fencepost.hw.mapping.client import Client
from fencepost.hw.mapping.each import finish_each, started_each
from fencepost.hw.mapping.process import Process

__all__ = ["StatusList"]


class StatusList:
    """One call for all GPUs, after which every GPU is usable that did not fail itself.

    A GPU that has a status is done, well or badly, and a call that is made again leaves it alone. The call raises what
    the first one failed with that failed.

    Args:
        process: whose buffers.
    """

    def __init__(self, process: Process) -> None:
        self._process = process

    def map(self, client: Client, arguments: Arguments) -> None:
        arguments.status = (None,) * len(arguments.devices)
        client.call(self._map, arguments)

    def _map(self, client: Client, arguments: Arguments) -> None:
        process = self._process
        with process.entered(client, arguments):
            for place, device in enumerate(arguments.devices):
                if arguments.status[place] is None:
                    try:
                        process.map(client, arguments.handle, device)
                    except OSError as error:
                        arguments.tell(place, error)
            started = started_each(process, arguments)
        finish_each(process, client, arguments, started)
