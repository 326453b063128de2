"""A timeline that software moves: fences at points, signalled as the value passes them.

(kernel: sw_sync)
"""

from __future__ import annotations

import errno
import heapq

from fencepost.fences.context import HALF_RANGE, SEQNO_MASK, context_alloc
from fencepost.fences.fence import Fence
from fencepost.fences.several import signal_all
from fencepost.sync.world import current

__all__ = ["Timeline"]


class TimelinePoint(Fence):
    """The fence at a point of a timeline; knows by when it is wanted. Its lock protects that too."""

    __slots__ = ("_deadline_ns",)

    def __init__(self, timeline: Timeline, point: int) -> None:
        super().__init__(timeline.context, point, timeline.name)
        self._deadline_ns: int | None = None

    @property
    def deadline_ns(self) -> int | None:
        """The soonest deadline that was hinted, or None. Any context."""
        return self._deadline_ns

    def set_deadline(self, when_ns: int) -> None:
        """Note when it is wanted, unless it is wanted sooner or has signalled. Any context."""
        with self._lock:
            if not self._state and (self._deadline_ns is None or when_ns < self._deadline_ns):
                self._deadline_ns = when_ns


class Timeline:
    """A counter whose fences signal when it reaches them.

    Life cycle: *open* -> *closed*; closing signals what is left with -ENOENT.

    Values are 32 bits wide and wrap round: a point up to half the range ahead is in the future, anything else is past.
    A step of more than half the range passes all points there are, as the kernel's does by taking it in two.
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
        self._points: dict[int, TimelinePoint] = {}
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

        Raises OSError (ENOENT) when closed, ValueError for a point that is no 32-bit number. Any context.
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

        Raises OSError (ENOENT) when closed, ValueError for fewer than 0 steps or more than 32 bits. (kernel:
        SW_SYNC_IOC_INC)
        """
        if not 0 <= steps <= SEQNO_MASK:
            raise ValueError(f"{self.name} advanced by {steps}, expected 0 to {SEQNO_MASK}")
        with self._lock:
            self._check_open()
            self._reached += steps
            reached = self._take_locked(self._reached)
        signal_all(reached)
        return len(reached)

    def deadline_ns(self, fence: Fence) -> int:
        """Return the soonest deadline that was hinted to a fence of a timeline, this or another. Any context.

        Raises OSError: EINVAL for any other fence, ENOENT when there was no hint. (kernel: SW_SYNC_GET_DEADLINE)
        """
        if not isinstance(fence, TimelinePoint):
            raise OSError(errno.EINVAL, f"{self.name} was asked for the deadline of {fence!r}, which is no timeline's")
        when_ns = fence.deadline_ns
        if when_ns is None:
            raise OSError(errno.ENOENT, f"{fence!r} has no deadline: nobody has set one")
        return when_ns

    def close(self) -> int:
        """End the timeline: what is left signals with -ENOENT; return how many. Idempotent; any context."""
        with self._lock:
            self._closed = True
            left = self._take_locked(None)
        signal_all(left, -errno.ENOENT)
        return len(left)

    def _check_open(self) -> None:
        if self._closed:
            raise OSError(errno.ENOENT, f"{self.name} is closed")

    def _new(self, point: int) -> TimelinePoint:
        return TimelinePoint(self, point)

    def _at_locked(self, place: int) -> TimelinePoint:
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
