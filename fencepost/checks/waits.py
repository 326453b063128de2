"""Who waits for whom, and a watchdog that says so when nothing moves any more.

What a task waits for is known always; who could end the wait only where that is one task: the holder of a lock, the
task that is joined, the one that runs the callbacks of a fence. Who will signal a fence or open a gate nobody can know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fencepost.checks.circles import Circle, find_circle, in_words
from fencepost.checks.lock_order import kinds_held
from fencepost.fences.fence import Fence
from fencepost.fences.ww_lock import LockWait
from fencepost.hw.memory.rw_lock import RwWait
from fencepost.sync import Task
from fencepost.sync.observed import ObservedLock, ObservedMailbox

if TYPE_CHECKING:
    from fencepost.checks.observers import TaskWatch
    from fencepost.sync.observed import Observed

__all__ = ["Stall", "Wait", "Watchdog", "circle_through", "waits"]

LOOKS_A_LIMIT: Final = 4
"""How often the watchdog looks within its limit."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One task waits.

    Attributes:
        task: its name.
        on: what for.
        whom: the name of the one task that could end the wait; empty where that is not known.
        held: the kinds of locks that it holds meanwhile.
    """

    task: str
    on: str
    whom: str
    held: tuple[str, ...]

    def __str__(self) -> str:
        by_whom = f", which is up to {self.whom}" if self.whom else ""
        holding = f", holding {', '.join(self.held)}" if self.held else ""
        return f"{self.task} waits for {self.on}{by_whom}{holding}"


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing has moved for as long as the watchdog allows, or never will.

    Attributes:
        reason: why that is said.
        waits: who waits.
        circle: what waits for what, where it comes back to itself; empty where that is not known.
    """

    reason: str
    waits: tuple[Wait, ...]
    circle: str = ""

    @property
    def place(self) -> str:
        """Who waits for what."""
        return ", ".join(sorted(wait.on for wait in self.waits))

    def __str__(self) -> str:
        circle = f": {self.circle}" if self.circle else ""
        return self.reason + circle + "".join(f"\n  {wait}" for wait in self.waits)


def who_ends(on: object) -> Task | None:
    """Return the one task that can end a wait for `on`, or None where that is not known."""
    if isinstance(on, ObservedLock):
        holder = on.holder
        return None if holder is None else holder.task
    if isinstance(on, Task):
        return on
    if isinstance(on, LockWait):
        return on.holder
    if isinstance(on, RwWait):
        holders = on.holders
        return holders[0] if len(holders) == 1 else None
    return on.signaller if isinstance(on, Fence) else None


def waits(watches: Iterable[TaskWatch]) -> tuple[Wait, ...]:
    """Return who waits now: tasks of one world, and those on whose behalf tasks want something there.

    Services that wait for mail are idle and not among them.
    """
    watches = tuple(watches)
    claims = tuple(watches[0].world.claims.values()) if watches else ()
    tasks = (wait_of(watch, on) for watch in watches if (on := awaited(watch)) is not None)
    others = (Wait(str(each.who), str(each), "", ()) for each in claims if not isinstance(each.who, Task))
    return (*tasks, *others)


def awaited(watch: TaskWatch) -> object:
    """Return what a task waits for, or None."""
    on = watch.task.waiting_on
    idle = watch.task.service and (isinstance(on, (ObservedMailbox, str)))
    return None if idle else on


def wait_of(watch: TaskWatch, on: object) -> Wait:
    """Describe a wait."""
    ends = who_ends(on)
    on = on.kind if isinstance(on, ObservedLock) else on
    return Wait(watch.task.name, str(on), "" if ends is None else ends.name, kinds_held(watch.held))


def circle_through(task: Task) -> list[Task]:
    """Return the tasks of a circle of waits that `task` is in, itself first; an empty list when there is none."""
    circle = [task]
    while (ends := who_ends(circle[-1].waiting_on)) is not None:
        if ends is task:
            return circle
        if ends in circle:
            break
        circle.append(ends)
    return []


class Watchdog:
    """A service of a native world that reports when nothing moves.

    It looks a few times within its limit. A stall is: all of this time no task made a stamp, somebody waits without a
    time-out, everybody waits, and no timer is armed. (What waits with a time-out moves by itself; what computes does
    not wait.) A circle of waits is one too, whatever else moves, when it is there at two looks. Each is reported once.

    Life cycle: *new* -> *running* (`start`, once) -> *stopped* (`stop`, idempotent).
    """

    def __init__(
        self,
        watches: Callable[[], list[TaskWatch]],
        limit_s: float,
        report: Callable[[Stall], object],
        each_look: Callable[[int], object] = lambda _now_ns: None,
    ) -> None:
        self._watches = watches
        self._limit_s = limit_s
        self._report = report
        self._each_look = each_look
        self._world: Observed | None = None
        self._task: Task | None = None
        self._seen: tuple[tuple[int, int], ...] = ()
        self._still = 0
        self._circle: Circle | None = None
        self._circles_told: list[Circle] = []

    def start(self, world: Observed) -> None:
        """Begin to look. Client context."""
        self._world = world
        self._stop = world.plain_waiter()
        self._task = world.spawn_unseen(self._run, name="watchdog")

    def stop(self) -> None:
        """Look no more, and end its task. Idempotent; by who closes the world."""
        if self._task is not None:
            self._stop.wake()
            self._task.join()

    def _run(self) -> None:
        world = self._world
        assert world is not None
        pause_ns = round(self._limit_s * 1e9 / LOOKS_A_LIMIT)
        while not self._stop.wait(world.now_ns() + pause_ns, "the next look"):
            self.look(world)

    def look(self, world: Observed) -> None:
        """See whether anything has moved since it looked last. By a task that nobody watches."""
        self._each_look(world.now_ns())
        # Who looks is met by whoever it looks at, but is none of those who wait.
        watches = [watch for watch in self._watches() if watch.task is not self._task]
        self._look_for_circle(watches)
        seen = tuple((watch.place, watch.time) for watch in watches)
        if seen != self._seen or not is_stuck(watches) or world.timers.pending:
            self._seen = seen
            self._still = 0
            return
        self._still += 1
        if self._still == LOOKS_A_LIMIT:
            self._report(Stall(f"nothing has moved for {self._limit_s} s", waits(watches)))

    def _look_for_circle(self, watches: list[TaskWatch]) -> None:
        """Report a circle that was there last time."""
        before, self._circle = self._circle, find_circle(watches)
        circle = self._circle
        if circle is not None and circle == before and circle not in self._circles_told:
            self._circles_told.append(circle)
            those = (watch for watch in watches if watch.task in circle)
            self._report(Stall("these wait for each other", waits(those), in_words(circle)))


def is_stuck(watches: Iterable[TaskWatch]) -> bool:
    """Say whether everybody waits, none with a time-out, and not only services that are idle."""
    stuck = False
    for watch in watches:
        if watch.task.waiting_on is None or watch.deadline_ns is not None:
            return False
        stuck = stuck or awaited(watch) is not None
    return stuck
