"""Waiting for several GPUs each for itself."""

from __future__ import annotations

from fencepost.hw.mapping.arguments import Arguments
from fencepost.hw.mapping.client import Client, check_fences
from fencepost.hw.mapping.process import Process, Started

__all__ = ["finish_each", "started_each"]


def started_each(process: Process, arguments: Arguments) -> dict[int, Started]:
    """Return what is to be waited for on each device that has no status, by its place in the list; the mutex is held.

    One whose update is lost gets its error for a status.
    """
    started: dict[int, Started] = {}
    for place, device in enumerate(arguments.devices):
        if arguments.status[place] is None:
            try:
                started[place] = process.started(arguments.handle, (device,))
            except OSError as error:
                arguments.tell(place, error)
    return started


def finish_each(process: Process, client: Client, arguments: Arguments, started: dict[int, Started]) -> None:
    """Block until all are done, and give each its status as soon as it is: one that hangs keeps no other from use.

    Raises OSError: what the first failed with that failed; EINTR when a signal came, and some have no status yet.
    """
    client.begin_wait()
    while started:
        for place in [place for place, each in started.items() if each.signaled]:
            try:
                check_fences(update.fence for update in started[place].updates)
            except OSError as error:
                arguments.tell(place, error)
            else:
                process.flush(started[place])
                arguments.tell(place)
            del started[place]
        if started:
            client.wait_any(update for each in started.values() for update in each.updates)
    arguments.check_status()
