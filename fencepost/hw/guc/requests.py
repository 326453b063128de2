"""Requests to the firmware whose sender blocks until the reply."""

from __future__ import annotations

from collections.abc import Callable

from fencepost.sync import Gate, World
from fencepost.sync.tracking import tracked

__all__ = ["Requests"]


@tracked("_asked")
class Requests:
    """Knows who waits for which reply.

    `_lock` protects the table and the places in it: a reply is filled in only while its sender's place is there.
    Before the locks of gates.
    """

    def __init__(self, world: World) -> None:
        self._lock = world.lock()
        self._asked = 0
        self._waiting: dict[int, Gate] = {}

    def ask(self, send: Callable[[int], object], timeout_s: float) -> bool:
        """Send a request under a number of its own; block until its reply. False when `timeout_s` ran out first."""
        with self._lock:
            self._asked += 1
            seqno = self._asked
            place = self._waiting[seqno] = Gate(f"reply {seqno}")
        send(seqno)
        place.wait(timeout_s)
        with self._lock:
            # What comes from now on finds no place to fill.
            self._waiting.pop(seqno, None)
            return place.is_open

    def answer(self, seqno: int) -> bool:
        """Handle a reply; False when nobody waits for it any more. Any context."""
        with self._lock:
            place = self._waiting.pop(seqno, None)
            if place is not None:
                place.open()
        return place is not None
