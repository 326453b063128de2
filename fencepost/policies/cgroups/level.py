"""Virtual time among siblings: who of them is due.

Each sibling has a virtual time: what it was given of the engine, divided by its weight. Next is whoever would get least
far with one more job, which is weighted fair queueing: work that comes as many short jobs is then made to wait for the
long jobs of others no more often than those are due. A job counts for `SLICE_NS` at most there, so that one long job
need not wait until others have had as much in short ones.

The level's own virtual time is how far the furthest one was of those that were taken. Whoever comes after having wanted
nothing is put there, unless it is further: rest earns nothing, and what was used too much stays owed.

What is owed is bounded by `DEBT_NS`: a job that cannot be preempted may use up minutes of a small share. With ten
seconds, jobs of up to 100 ms still keep every share within one point, and whoever has a weight at all waits for no more
than ten seconds of its parent's time.

Virtual time is in whole numbers, computed anew from the sum of what was given, so that no rounding adds up.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush, heapreplace
from typing import Final, Generic, TypeAlias, TypeVar, cast

from fencepost.policies.ewma import Ewma

__all__ = ["DEBT_NS", "SLICE_NS", "Level", "Share"]

SLICE_NS: Final = 3_000_000
"""What a job counts for, at most, when it is decided who is next."""

DEBT_NS: Final = 10_000_000_000
"""How much time of the level somebody who has used too much waits for, at most."""

_SHIFT: Final = 16  # fractional bits: a nanosecond is six units even to the greatest weight
_STALE_ALLOWED: Final = 64  # as in a run queue
_NS_PER_US: Final = 1000

_Entry: TypeAlias = "tuple[int, int, Share]"


class Share:
    """One of the siblings at a level.

    It is, again and again: *idle*; *ready*, when it has something that can run; *running*, when something of it was
    taken that is not accounted yet. Ready and running go together, and either makes it count among its siblings.

    All is written by the level.

    Attributes:
        weight: its part, against its siblings'.
        running: how many of its jobs were taken and are not accounted.
        mean_job_us: average GPU time of its jobs.
        entry: its latest place at the level while it is ready, or None.
    """

    __slots__ = ("_base", "_given_ns", "entry", "mean_job_us", "running", "weight")

    def __init__(self, weight: int) -> None:
        self.weight = weight
        self.running = 0
        self.mean_job_us = Ewma()
        self.entry: _Entry | None = None
        self._base = 0
        self._given_ns = 0

    @property
    def ready(self) -> bool:
        """Whether something of it can run."""
        return self.entry is not None

    @property
    def vtime(self) -> int:
        """How far it is."""
        return self._base + (self._given_ns << _SHIFT) // self.weight

    def give(self, time_ns: int) -> None:
        """Count time as given; below zero takes back what was counted too much."""
        self._given_ns += time_ns

    def put(self, vtime: int) -> None:
        """Have it be so far."""
        self._base = vtime
        self._given_ns = 0


S = TypeVar("S", bound=Share)


class Level(Generic[S]):
    """The siblings in one group, on one engine.

    Attributes:
        vtime: how far it is.
        weight: of all who are ready or running, together.
    """

    __slots__ = ("_heap", "_insertions", "_ready", "vtime", "weight")

    def __init__(self) -> None:
        self.vtime = 0
        self.weight = 0
        self._heap: list[_Entry] = []
        self._ready = 0
        self._insertions = 0

    def first(self) -> S | None:
        """Tell who is due, of those who are ready; among equals who has waited longest."""
        heap = self._heap
        while heap:
            entry = heap[0]
            if entry[2].entry is entry:
                return cast("S", entry[2])
            heappop(heap)
        return None

    def set_ready(self, share: S, *, ready: bool) -> None:
        """Note whether something of a share can run, where that is news."""
        if ready and not share.running:
            self.weight += share.weight
        self._place(share, ready=ready)
        self._retire_if_idle(share)

    def take(self, share: S, estimate_ns: int, *, ready: bool) -> None:
        """Note that a job of a share was taken, whether something else of it can run, and what the job may need.

        That is counted now, so that whoever has jobs under way does not look like somebody who was given nothing.
        """
        if not (share.running or share.ready):
            self.weight += share.weight
        self.vtime = max(self.vtime, min(share.vtime, self._debt_limit))
        share.running += 1
        share.give(estimate_ns)
        self._place(share, ready=ready)

    def account(self, share: S, excess_ns: int, *, ready: bool) -> None:
        """Note that a job that was taken needed so much more than the estimate, or less, and what can run now."""
        share.running -= 1
        share.give(excess_ns)
        in_debt = not share.running and share.vtime > self._debt_limit
        if in_debt:  # only now: what is running is counted by estimates, and may come back
            share.put(self._debt_limit)
        if excess_ns or in_debt or ready != share.ready:
            self._place(share, ready=ready)
        self._retire_if_idle(share)

    def set_weight(self, share: S, weight: int) -> None:
        """Change a weight at once. What is owed, either way, is the same time of the engine as before."""
        if share.running or share.ready:
            self.weight += weight - share.weight
        distance = (share.vtime - self.vtime) * share.weight // weight
        share.weight = weight
        share.put(self.vtime + distance)
        if share.ready:
            self._enter(share)

    def _place(self, share: S, *, ready: bool) -> None:
        if ready:
            if share.entry is None:
                self._ready += 1
                if share.vtime < self.vtime:
                    share.put(self.vtime)
            self._enter(share)
        elif share.entry is not None:
            self._ready -= 1
            share.entry = None

    def _enter(self, share: S) -> None:
        """Give a share its place anew; its older entry is stale."""
        old = share.entry
        self._insertions += 1
        job_ns = min(share.mean_job_us.value * _NS_PER_US, SLICE_NS)
        after = share.vtime + (job_ns << _SHIFT) // share.weight
        entry: _Entry = (min(after, self._debt_limit), self._insertions, share)
        share.entry = entry
        heap = self._heap
        if heap and heap[0] is old:
            heapreplace(heap, entry)
            return
        heappush(heap, entry)
        if len(heap) > 2 * self._ready + _STALE_ALLOWED:
            heap[:] = [each for each in heap if each[2].entry is each]
            heapify(heap)

    def _retire_if_idle(self, share: S) -> None:
        """Count a share no more that wants nothing. What the last one used while nobody else did is not owed."""
        if share.running or share.ready:
            return
        self.weight -= share.weight
        if not self.weight:
            self.vtime = max(self.vtime, share.vtime)

    @property
    def _debt_limit(self) -> int:
        """How far everybody is once `DEBT_NS` have been given."""
        return self.vtime + (DEBT_NS << _SHIFT) // self.weight
