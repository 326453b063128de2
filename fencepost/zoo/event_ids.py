"""A pool of firmware event ids, of which a job needs several at once."""

from __future__ import annotations

from fencepost.sync import Resource, current
from fencepost.zoo.wait_queue import WaitQueue

__all__ = ["EventIds"]


class EventIds:
    """Hands out ids, all that a job needs in one step, and to those who came first.

    `_lock` protects the account and the line; a leaf.

    Args:
        ids: how many there are.
        name: what reports call them.
    """

    def __init__(self, ids: int, name: str = "event ids") -> None:
        self._lock = current().lock()
        self._ids = Resource(name, ids)
        self._line: list[object] = []
        self._returned = WaitQueue(name)

    def holder(self) -> object:
        """Say who has what the calling task takes."""
        return current().task()

    def take(self, ids: int) -> None:
        """Block until there are so many, and take them."""
        place = object()
        with self._lock:
            self._line.append(place)
            claim = self._ids.want(ids)
        self._returned.wait(lambda: self._take_in_turn(ids, place), claim)
        self._returned.wake_all()

    def try_take(self, ids: int) -> bool:
        """Take so many, or none."""
        with self._lock:
            return self._try_take_locked(ids)

    def wait_and_take(self, ids: int) -> None:
        """Block until there are so many, and take them, whoever else waits."""
        with self._lock:
            claim = self._ids.want(ids)
        self._returned.wait(lambda: self.try_take(ids), claim)

    def give_back(self, ids: int) -> None:
        """Return what was taken."""
        with self._lock:
            self._ids.give_back(ids, self.holder())
        self._returned.wake_all()

    def _take_in_turn(self, ids: int, place: object) -> bool:
        with self._lock:
            taken = self._line[0] is place and self._try_take_locked(ids)
            if taken:
                self._line.remove(place)
            return taken

    def _try_take_locked(self, ids: int) -> bool:
        taken = self._ids.free >= ids
        if taken:
            self._ids.withdraw()
            self._ids.take(ids, self.holder())
        return taken
