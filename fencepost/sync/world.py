"""The seam: a world says how its tasks wait, what time it is, and what a new task is.

Whatever waits asks `current()` for its world and takes the primitives from there, so the same code runs on OS threads
and wall-clock time (native) and on greenlets and virtual time (virtual, controlled).
"""

from __future__ import annotations

import abc
import math
import threading
from typing import TYPE_CHECKING, Any

from fencepost.errors import WrongWorld
from fencepost.sync.primitives import PlainFlag
from fencepost.sync.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Callable

    from fencepost.sync.carrier import Carriers
    from fencepost.sync.observed import Observed
    from fencepost.sync.observer import Watch
    from fencepost.sync.primitives import Flag, Lock, Mailbox, Waiter
    from fencepost.sync.resource import Claim, Holdings
    from fencepost.sync.task import Task

__all__ = ["World", "ambient", "current", "deadline_ns", "now_ns"]

NS_PER_S = 1_000_000_000

PRUNE_FLOOR = 64


class World(abc.ABC):
    """Where tasks run.

    Life cycle: *new* -> *entered* (the entering thread is its main task) -> *closed*. Closing stops and joins all that
    the world started and may be done twice. A world entered inside of another is closed before it.

    Attributes:
        name: native, virtual or controlled.
        now_ns: reads the world's monotonic clock.
        lock: makes a lock. (These two are attributes, not methods: each fence needs both, and a call costs.)
        tasks: every task this world started that is not known to be done, in the order of their start.
        tasks_started: how many there were.
        claims: of a resource, by whom: who waits for how many. Kept by the resources.
        failures: exceptions that nobody was there to catch (a timer function's, a task's), in order of appearance.
        observed: the world itself when somebody watches it, else None.
        reclaim: called where memory is wanted that may be waited for, while memory is short; None while it is not.
        poison: in a checked world, to be called with what was freed, and the names of the attributes that live on: any
            other use of it raises UseAfterFree. None elsewhere, where nobody would notice.
    """

    name: str
    observed: Observed | None = None
    reclaim: Callable[[], object] | None = None
    poison: Callable[[object, frozenset[str]], None] | None = None
    now_ns: Callable[[], int]
    lock: Callable[[], Lock]

    def __init__(self, now_ns: Callable[[], int], lock: Callable[[], Lock]) -> None:
        self.now_ns = now_ns
        self.lock = lock
        self.tasks: list[Task] = []
        self.tasks_started = 0
        self.failures: list[BaseException] = []
        self.claims: dict[tuple[Holdings, object], Claim] = {}
        self.timers = Timers(self)
        self._outer: list[World] = []
        # Protects `tasks`, the count and `_prune_at` against clients that spawn at once; a leaf.
        self._adoption = threading.Lock()
        self._prune_at = PRUNE_FLOOR

    @abc.abstractmethod
    def waiter(self) -> Waiter:
        """Make a waiter."""

    @abc.abstractmethod
    def mailbox(self, name: str = "mailbox") -> Mailbox[Any]:
        """Make a mailbox; `name` is what reports call it."""

    def flag(self, name: str = "flag") -> Flag:  # noqa: ARG002 - for worlds that report
        """Make a flag that is not set; `name` is what reports call it."""
        return PlainFlag()

    @abc.abstractmethod
    def spawn(self, function: Callable[[], object], *, name: str, service: bool = False) -> Task:
        """Start a task that runs `function`."""

    @abc.abstractmethod
    def task(self) -> Task:
        """Return the task that is asking."""

    def wait_exactly(self) -> None:  # noqa: B027 - most worlds are exact by nature
        """Ask that the calling task's time-outs are not rounded up. Touches no other task."""

    def settle(self) -> None:  # noqa: B027 - only a world that searches has something to stop
        """Note that what is being run has come to its end, and only tidying up is left: no use in searching that."""

    def interrupt(self, error: BaseException) -> None:
        """Note an exception that asks the whole program to end (KeyboardInterrupt) and surfaced in some task."""
        self.failures.append(error)

    def sleep(self, seconds: float) -> None:
        """Block for `seconds` of this world's time."""
        self.sleep_until(self.now_ns() + round(seconds * NS_PER_S))

    def sleep_until(self, when_ns: int) -> None:
        """Block until the world's clock reads `when_ns`; returns at once when that is past."""
        self.waiter().wait(when_ns, "the clock")

    def enter(self) -> None:
        """Make this the world of the calling thread."""
        self._outer.append(ambient.world)
        ambient.world = self

    def close(self) -> list[Task]:
        """Stop the timers, join what was started and give the calling thread its former world back.

        Returns the tasks that did not end; an empty list is the rule. Raises WrongWorld when the calling thread is in
        another world.
        """
        if self._outer and ambient.world is not self:
            raise WrongWorld(
                f"the {self.name} world is closed from inside the {ambient.world.name} one, close that first"
            )
        try:
            self.timers.stop()
            return self._join_all()
        finally:
            if self._outer:
                ambient.world = self._outer.pop()

    def _adopt(self, task: Task) -> None:
        with self._adoption:
            self.tasks_started += 1
            self.tasks.append(task)
            if len(self.tasks) > self._prune_at:
                self.tasks[:] = [task for task in self.tasks if not task.done]
                self._prune_at = max(PRUNE_FLOOR, 2 * len(self.tasks))

    @abc.abstractmethod
    def _join_all(self) -> list[Task]:
        """Bring every task to its end; return those that would not."""


class Ambient(threading.local):
    """What a thread knows about itself: its world, the task it carries (None until somebody asks), and who watches it.

    The last is the short way of observed native worlds to the watch of their tasks, and None elsewhere. `carriers` are
    lent to the next world of greenlets that is entered, until that is closed.
    """

    world: World
    task: Task | None = None
    watch: Watch | None = None
    carriers: Carriers | None = None


ambient = Ambient()


def current() -> World:
    """Return the world of the calling task. Any context."""
    return ambient.world


def now_ns() -> int:
    """Read the clock of the calling task's world. Any context."""
    return ambient.world.now_ns()


def deadline_ns(timeout_s: float | None) -> int | None:
    """Turn a time-out in seconds into a point on the world's clock; None stays None (wait without a limit).

    Raises ValueError for a negative time-out or one that is not a number.
    """
    if timeout_s is None or timeout_s == math.inf:
        return None
    if not timeout_s >= 0:
        raise ValueError(f"a time-out of {timeout_s} s, expected 0 or more")
    return ambient.world.now_ns() + round(timeout_s * NS_PER_S)
