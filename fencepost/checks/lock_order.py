"""Lock order by kind of lock, and fence signalling as one more lock of its own kind.

Two locks taken in both orders can deadlock, whether they did or not: so each pair of kinds "held, then taken" is an
edge, and an edge that closes a circle is a report, at the moment it appears. One run of each path is enough.

`SIGNALLING` stands for "something waits until a fence signals". A wait for a fence while holding H is an edge from H
to it; a lock L taken in a signalling section is an edge from it to L. Entering a section never blocks, so it makes no
edge. A circle then says: to signal, somebody needs what is held by somebody who waits for the signal. (kernel:
lockdep, and its dma_fence_map)

Known from the start is what any program may do that is not ours: take a reservation while holding a mmap lock, wait for
memory while holding a reservation, and for a fence while memory is wanted. So one task that takes a reservation or a
mmap lock in a section closes a circle. `RECLAIM` stands for
"memory is waited for", and holding H while memory is wanted is an edge from H to it.

A lock that is only tried cannot be waited for: it makes no edge to itself, and is the start of edges while it is held.
A wait for a fence that has signalled already is not seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Final

from fencepost.checks.sites import Site, lock_name, site_of, stack_outside
from fencepost.fences.fence import Fence
from fencepost.fences.several import AnyOf
from fencepost.fences.syncobj_wait import PointWait
from fencepost.sync.allocation import RECLAIMING, Allocation
from fencepost.sync.observer import LockKind
from fencepost.sync.tracking import frame_above

if TYPE_CHECKING:
    from fencepost.checks.observers import TaskWatch
    from fencepost.sync.observed import ObservedLock

__all__ = ["FENCE_WAITS", "RECLAIM", "RESERVATION", "SIGNALLING", "Edge", "LockOrder", "LockOrderCycle", "kinds_held"]

MMAP_LOCK: Final = "MmapLock"
RESERVATION: Final = "Reservation"
RECLAIM: Final = "the freeing of memory"
SIGNALLING: Final = "the signalling of a fence"

FENCE_WAITS: Final = (Fence, AnyOf, PointWait)
"""What is waited for by those who wait for fences."""

SITES_KEPT: Final = 6


@dataclass(frozen=True, slots=True)
class Edge:
    """One kind was held when the other was taken.

    Attributes:
        held, taken: the kinds.
        task: who did it first.
        sites: where, the innermost line first.
    """

    held: LockKind
    taken: LockKind
    task: str
    sites: tuple[Site, ...]

    def __str__(self) -> str:
        where = f"by {self.task} at {' from '.join(map(str, self.sites))}" if self.sites else f"by {self.task}"
        return f"{self.held} then {self.taken}, {where}"


@dataclass(frozen=True, slots=True)
class LockOrderCycle:
    """Kinds of locks that are taken in a circle. The last edge is the one that closed it."""

    edges: tuple[Edge, ...]

    @property
    def place(self) -> str:
        """Which kinds, whichever closed the circle."""
        return ", ".join(sorted(edge.held.name for edge in self.edges))

    def __str__(self) -> str:
        if len(self.edges) == 1:
            return f"two locks of one kind at once, in no known order: {self.edges[0]}"
        return "lock order is a circle: " + "; ".join(map(str, self.edges))


class LockOrder:
    """The edges seen so far. Several worlds may share one, and then learn from each other.

    Any task may call it at any time: each step is one operation of a dict, and an edge is put in before circles are
    looked for, so of two tasks that close one together at least one sees it.
    """

    def __init__(self) -> None:
        self._by_name: dict[str, LockKind] = {}
        # By the identity of the code, since hashing it takes longer than making a lock; kept, so that it stays unique.
        self._by_place: dict[tuple[int, int], tuple[LockKind, CodeType]] = {}
        self.signalling = LockKind(SIGNALLING)
        self.reclaim = LockKind(RECLAIM)
        self._teach(self.kind_named(MMAP_LOCK), self.kind_named(RESERVATION))
        self._teach(self.kind_named(RESERVATION), self.reclaim)
        self._teach(self.reclaim, self.signalling)
        self.found: list[LockOrderCycle] = []

    def kind_named(self, name: str) -> LockKind:
        """Return the kind of this name."""
        return self._by_name.setdefault(name, LockKind(name))

    def kind_made(self, frame: FrameType) -> LockKind:
        """Return the kind of the locks made by the line at which a frame is."""
        code, instruction = frame.f_code, frame.f_lasti
        made = self._by_place.get((id(code), instruction))
        if made is None:
            made = self.kind_named(lock_name(site_of(code, instruction))), code
            self._by_place[id(code), instruction] = made
        return made[0]

    def locking(self, watch: TaskWatch, lock: ObservedLock, *, backs_off: bool = False) -> None:
        """Note that a task takes `lock` besides what it holds."""
        kind = lock.kind
        for held in watch.held:
            if held.kind.is_flag:
                watch.forget_flags()
            # The same lock again is no matter of order, nor are others of its kind to one who would give them back.
            elif kind not in held.kind.after and held is not lock and not (backs_off and held.kind is kind):
                self._add(held.kind, kind, watch)
        if watch.sections and kind not in self.signalling.after:
            self._add(self.signalling, kind, watch)

    def waiting(self, watch: TaskWatch, on: object) -> None:
        """Note that a task waits with all it holds."""
        if isinstance(on, FENCE_WAITS):
            for held in watch.held:
                if self.signalling not in held.kind.after and not held.kind.is_flag:
                    self._add(held.kind, self.signalling, watch)

    def allocating(self, watch: TaskWatch, kind: Allocation) -> None:
        """Note that a task wants memory with all it holds."""
        if kind in RECLAIMING:
            for held in watch.held:
                if self.reclaim not in held.kind.after and not held.kind.is_flag:
                    self._add(held.kind, self.reclaim, watch)

    def _teach(self, held: LockKind, taken: LockKind) -> None:
        held.after[taken] = Edge(held, taken, "any program", ())

    def _add(self, held: LockKind, taken: LockKind, watch: TaskWatch) -> None:
        edge = Edge(held, taken, watch.task.name, stack_outside(frame_above(1), SITES_KEPT))
        if held.after.setdefault(taken, edge) is not edge:
            return
        if held is taken:
            self.found.append(LockOrderCycle((edge,)))
        elif (way := way_back(taken, held, {taken})) is not None:
            self.found.append(LockOrderCycle((*way, edge)))


def way_back(start: LockKind, goal: LockKind, seen: set[LockKind]) -> tuple[Edge, ...] | None:
    """Return edges that lead from `start` to `goal`, or None."""
    edges: list[Edge] = list(start.after.values())
    for edge in edges:
        if edge.taken is goal:
            return (edge,)
        if edge.taken not in seen:
            seen.add(edge.taken)
            if (way := way_back(edge.taken, goal, seen)) is not None:
                return (edge, *way)
    return None


def kinds_held(locks: Iterable[ObservedLock]) -> tuple[str, ...]:
    """Name what a task holds; flags are held by nobody."""
    return tuple(lock.kind.name for lock in locks if not lock.kind.is_flag)
