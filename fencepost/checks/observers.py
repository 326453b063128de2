"""All observers of one world: races, lock order, the rules of fences, who waits for whom.

    observers = Observers()
    with Runtime(world=ObservedWorld(observers)) as runtime:
        ...
    assert not observers.findings

What they cannot see: fields that are not declared `@tracked`, changes inside of what a field refers to, locks that are
not of `fencepost.sync`, and orders of steps that this run did not come near.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeAlias

import structlog

from fencepost.checks.broken_rule import BrokenRule
from fencepost.checks.claims import stuck
from fencepost.checks.fence_rules import FenceRules
from fencepost.checks.happens_before import Clock, Clocks, Stamp
from fencepost.checks.lock_order import LockOrder, LockOrderCycle
from fencepost.checks.poison import Poison, UseOfFreed
from fencepost.checks.section_rules import Section
from fencepost.checks.tracked import Race, Races
from fencepost.checks.waits import Stall, Wait, Watchdog, circle_through, waits
from fencepost.errors import Deadlock
from fencepost.fences.fence import Fence
from fencepost.fences.ww_lock import LockWait
from fencepost.sync import Task
from fencepost.sync.allocation import Allocation
from fencepost.sync.observed import Observed, ObservedLock, ObservedWorld
from fencepost.sync.resource import Claim
from fencepost.sync.tracking import Field, frame_above

__all__ = ["Finding", "Observers", "TaskWatch", "observed_world"]

FRAMES_TO_MAKER: Final = 2
"""From `new_lock` to the line that makes a lock: the world's `lock`, the maker."""

Finding: TypeAlias = Race | UseOfFreed | LockOrderCycle | BrokenRule | Stall


class TaskWatch(Clock):
    """What the observers know of one task. See `fencepost.sync.observer.Watch`, whose contract it keeps.

    Attributes:
        is_over: tells whether a task that fencepost did not start has ended; None for those it did.
    """

    __slots__ = ("deadline_ns", "held", "is_over", "last", "observer", "sections", "task", "world")

    def __init__(
        self, clock: Clock, observer: Observers, task: Task, world: Observed, is_over: Callable[[], bool] | None
    ) -> None:
        super().__init__(clock.place, clock.time, clock.known)
        self.observer = observer
        self.world = world
        self.task = task
        self.is_over = is_over
        self.held: tuple[ObservedLock, ...] = ()
        self.sections: tuple[Section, ...] = ()
        self.deadline_ns: int | None = None
        self.last: Stamp | None = None

    def locking(self, lock: ObservedLock, *, backs_off: bool = False) -> None:
        self.observer.lock_order.locking(self, lock, backs_off=backs_off)

    def forget_flags(self) -> None:
        """Hold no more what turned out to be a flag."""
        self.held = tuple(lock for lock in self.held if not lock.kind.is_flag)

    def contended(self) -> None:
        self.observer.contended(self)

    def waiting(self, on: object) -> None:
        if self.held:
            self.observer.lock_order.waiting(self, on)
        if isinstance(on, (Claim, LockWait)):
            self.observer.claiming(self, on)
        self.observer.rules.waiting(self, on)

    def publish(self, thing: object) -> Stamp:
        self.observer.rules.signalling(self, thing)
        return self.release()

    def begin_section(self) -> int:
        return self.observer.rules.sections.begin(self)

    def end_section(self, depth: int) -> None:
        self.observer.rules.sections.end(self, depth)

    def hear(self, fact: object) -> None:
        if isinstance(fact, Allocation):
            self.observer.lock_order.allocating(self, fact)
        self.observer.rules.hear(self, fact)

    def touch(self, thing: object, field: Field, *, writes: bool) -> None:
        self.observer.races.note(self, thing, field, writes=writes)

    def end(self) -> None:
        self.observer.ended(self)


class Observers:
    """Everything that watches one world.

    Args:
        lock_order: what is known of the order of locks; several worlds may share one. None begins anew.
        stall_limit_s: for how long nothing may move in a native world before that is reported; None does not watch.
        fence_limits_s: for how long a published fence may be pending, by its class, where it is not as in `LIMITS_S`.
            That is looked at when it signals and at the end, and as long as somebody watches for stalls.

    Attributes:
        lock_order: the same.
        races: on tracked fields.
        uses_of_freed: of what was poisoned.
        rules: those of fences, and what broke them.
        stalls: what did not move, or never would have.
        on_stall: called with each stall that the watchdog reports, in its task; logs it, since nobody may ever come by
            to ask for it.
    """

    def __init__(
        self,
        *,
        lock_order: LockOrder | None = None,
        stall_limit_s: float | None = None,
        fence_limits_s: Mapping[type[Fence], float] | None = None,
    ) -> None:
        self.lock_order = LockOrder() if lock_order is None else lock_order
        self._cycles_before = len(self.lock_order.found)
        self._clocks = Clocks()
        self.races = Races(self._clocks)
        self.uses_of_freed: list[UseOfFreed] = []
        self.poison = Poison(self.uses_of_freed.append)
        self.rules = FenceRules(self.watches, fence_limits_s)
        self.stalls: list[Stall] = []
        self.on_stall: Callable[[Stall], object] = log_stall
        self._living: dict[TaskWatch, None] = {}
        self._watchdog: Watchdog | None = None
        if stall_limit_s is not None:
            self._watchdog = Watchdog(self.watches, stall_limit_s, self._stalled, self.rules.look)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found since it was made, the races first."""
        lock_order = self.lock_order.found[self._cycles_before :]
        return (*self.races.found, *self.uses_of_freed, *lock_order, *self.rules.found, *self.stalls)

    def watches(self) -> list[TaskWatch]:
        """Return the watches of all tasks that have not ended. Any context."""
        return [watch for watch in list(self._living) if watch.is_over is None or not watch.is_over()]

    def waits(self) -> tuple[Wait, ...]:
        """Say who waits now, and for whom. Any context."""
        return waits(self.watches())

    # What a world tells; see `fencepost.sync.observer.Observer`.

    def begin(self, task: Task, world: Observed, parent: Stamp | None, is_over: Callable[[], bool] | None) -> TaskWatch:
        watch = TaskWatch(self._clocks.new(parent), self, task, world, is_over)
        self._clocks.add(watch)
        self._living[watch] = None
        return watch

    def new_lock(self, lock: ObservedLock, name: str | None = None) -> None:
        order = self.lock_order
        lock.kind = order.kind_made(frame_above(FRAMES_TO_MAKER)) if name is None else order.kind_named(name)

    def entered(self, world: Observed) -> None:
        if self._watchdog is not None:
            self._watchdog.start(world)

    def closing(self, world: Observed) -> None:  # noqa: ARG002 - as in the protocol
        if self._watchdog is not None:
            self._watchdog.stop()

    def closed(self, world: Observed) -> None:
        self.rules.closed(world.now_ns())

    # What a watch tells.

    def ended(self, watch: TaskWatch) -> None:
        """Forget a task that has ended, but for what it knew at the end."""
        self.rules.ended(watch)
        watch.last = self._clocks.end(watch)
        self._living.pop(watch, None)

    def contended(self, watch: TaskWatch) -> None:
        """Raise Deadlock when the lock that a task wants is held, by way of others, by one that waits for that task."""
        # Twice: while one looks, a lock that was read as held may be given back and its holder go on to wait. A real
        # circle stays.
        if circle_through(watch.task) and (circle := circle_through(watch.task)):
            self._deadlocked("these wait for each other", circle)
        elif watch.world.claims:
            self._check_stuck(watch)

    def claiming(self, watch: TaskWatch, claim: Claim | LockWait) -> None:
        """Raise Deadlock when what a task wants is held by those who wait for each other, and for that task."""
        # Said before the look, so that of two who begin to wait at once the later one sees the other.
        watch.task.waiting_on = claim
        try:
            self._check_stuck(watch)
        finally:
            watch.task.waiting_on = None

    def _check_stuck(self, watch: TaskWatch) -> None:
        # Twice, as above.
        if watch.task in stuck(self.watches()) and watch.task in (those := stuck(self.watches())):
            self._deadlocked("none of these can go on", those)

    def _deadlocked(self, reason: str, those: Collection[object]) -> None:
        stall = Stall(reason, waits(watch for watch in self.watches() if watch.task in those))
        self.stalls.append(stall)
        raise Deadlock(str(stall))

    def _stalled(self, stall: Stall) -> None:
        self.stalls.append(stall)
        self.on_stall(stall)


def log_stall(stall: Stall) -> None:
    """Say at once that nothing moves."""
    structlog.get_logger("fencepost").error("stalled", stall=str(stall))


def observed_world(*, stall_limit_s: float | None = None) -> tuple[ObservedWorld, Observers]:
    """Make a native world with observers of its own."""
    observers = Observers(stall_limit_s=stall_limit_s)
    return ObservedWorld(observers), observers
