"""A timeline that software moves: fences at points, signalled as the value passes them.

(kernel: sw_sync)
"""

from __future__ import annotations

import errno
import heapq

from fencepost.errors import WrongState
from fencepost.fences.context import HALF_RANGE, SEQNO_MASK, context_alloc
from fencepost.fences.fence import Fence
from fencepost.fences.several import signal_all
from fencepost.sync.world import current

__all__ = ["Timeline"]


class Timeline:
    """A counter whose fences signal when it reaches them.

    Life cycle: *open* -> *closed*; closing signals what is left with -ENOENT.

    Values are 32 bits wide and wrap round: a point up to half the range ahead is in the future, anything else is past.
    `_lock` protects all fields; a leaf. Fences are signalled after it was dropped: those of one step in the order of
    their points, those of two steps made at once in any order. An exception of a callback is raised when all have
    signalled.

    Args:
        name: what reports call it.
    """

    def __init__(self, name: str = "timeline") -> None:
        self.name = name
        self.context = context_alloc()
        self._lock = current().lock()
        self._reached = 0
        self._points: dict[int, Fence] = {}
        self._queue: list[int] = []
        self._closed = False

    @property
    def value(self) -> int:
        """Where it stands, 32 bits. Any context."""
        return self._reached & SEQNO_MASK

    @property
    def closed(self) -> bool:
        """True once it was closed. Any context."""
        return self._closed

    def fence(self, point: int) -> Fence:
        """Return the fence of `point`: a signalled one when the value has passed it, else one shared by all who ask.

        Raises WrongState when closed, ValueError for a point that is no 32-bit number. Any context.
        """
        if not 0 <= point <= SEQNO_MASK:
            raise ValueError(f"point {point} on {self.name}, expected 0 to {SEQNO_MASK}")
        with self._lock:
            self._check_open()
            ahead = (point - self._reached) & SEQNO_MASK
            past = not 0 < ahead < HALF_RANGE
            fence = self._new(point) if past else self._at_locked(self._reached + ahead)
        if past:
            fence.signal()
        return fence

    def advance(self, steps: int = 1) -> int:
        """Move the value and signal the fences it reaches; return how many. Never blocks; any context.

        Raises WrongState when closed, ValueError for fewer than 0 steps or more than 32 bits. (kernel: SW_SYNC_IOC_INC)
        """
        if not 0 <= steps <= SEQNO_MASK:
            raise ValueError(f"{self.name} advanced by {steps}, expected 0 to {SEQNO_MASK}")
        with self._lock:
            self._check_open()
            self._reached += steps
            reached = self._take_locked(self._reached)
        signal_all(reached)
        return len(reached)

    def close(self) -> int:
        """End the timeline: what is left signals with -ENOENT; return how many. Idempotent; any context."""
        with self._lock:
            self._closed = True
            left = self._take_locked(None)
        signal_all(left, -errno.ENOENT)
        return len(left)

    def _check_open(self) -> None:
        if self._closed:
            raise WrongState(f"{self.name} is closed")

    def _new(self, point: int) -> Fence:
        return Fence(self.context, point, name=self.name)

    def _at_locked(self, place: int) -> Fence:
        """Return the pending fence at `place`, which is the point without the wrap."""
        fence = self._points.get(place)
        if fence is None:
            fence = self._points[place] = self._new(place & SEQNO_MASK)
            heapq.heappush(self._queue, place)
        return fence

    def _take_locked(self, up_to: int | None) -> list[Fence]:
        taken: list[Fence] = []
        while self._queue and (up_to is None or self._queue[0] <= up_to):
            taken.append(self._points.pop(heapq.heappop(self._queue)))
        return taken
