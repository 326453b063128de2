"""The controlled world: the virtual one, with a search that chooses who runs at every synchronisation point.

A point stands before each step that another task could notice: taking and releasing a lock, putting into and looking
into a mailbox, waking a sleeper, starting a task, touching a tracked field. Code between two points is one step. So
every outcome that threads could produce through these is produced by some sequence of choices, and a sequence of
choices is enough to produce it again.

What goes around them is not seen: a plain attribute that is read without a lock belongs to the step in which it is
read.

The clock is one more candidate: where the timer policy lets it, a deadline may come while others could still run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol, cast

from fencepost.errors import StepLimit
from fencepost.sync.primitives import Mailbox, Waiter
from fencepost.sync.task import Task
from fencepost.sync.virtual import VirtualTask, VirtualWorld
from fencepost.sync.virtual_primitives import VirtualLock, VirtualMailbox, VirtualWaiter

__all__ = ["CLOCK", "Candidate", "ControlledWorld", "Search", "Step"]

CLOCK: Final = -1
"""The number of the clock among the candidates."""

MAIN: Final = 0

Candidate = int
"""The number of a task: 0 is the main task, the others count from 1 in the order of their start; `CLOCK`."""

Step = tuple[Candidate, str, object]
"""Who did what to which thing."""


class Search(Protocol):
    """Chooses who runs next."""

    def choose(self, candidates: Sequence[Candidate], running: Candidate | None) -> Candidate:
        """Return one of `candidates` (two or more, in the order in which they became able to run).

        `running` is who stands at a point and could go on; None when who ran last waits or has ended.
        """
        ...


class SearchOrder:
    """The tasks that can run, and the choices made among them.

    Attributes:
        deviations: choice number -> candidate, for the choices that were not the obvious one: who runs goes on, else
            whoever has been able to run for longest. Enough to make the same choices again.
        choices: how many there were.
        over: the world is closing, and nothing is left to choose: first able, first run.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._tasks: list[VirtualTask] = []
        self.add = cast("Callable[[Task], None]", self._tasks.append)
        self.deviations: dict[int, Candidate] = {}
        self.choices = 0
        self.over = False

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def take(self) -> VirtualTask:
        """Remove one and return it, without the clock as a candidate."""
        task = self.take_or_clock(None, clock=False)
        assert task is not None
        return task

    def take_or_clock(self, running: VirtualTask | None, *, clock: bool) -> VirtualTask | None:
        """Remove a task and return it; None is the clock."""
        tasks = self._tasks
        if (len(tasks) == 1 and not clock) or self.over:
            return tasks.pop(0)
        candidates = [task.number for task in tasks]
        obvious = candidates[0]
        current = None
        if running is not None and running.number in candidates:
            obvious = current = running.number
        if clock:
            candidates.append(CLOCK)
        chosen = self._search.choose(candidates, current)
        if chosen != obvious:
            self.deviations[self.choices] = chosen
        self.choices += 1
        return None if chosen == CLOCK else tasks.pop(candidates.index(chosen))


class ControlledWaiter(VirtualWaiter):
    """A sleep; waking it is a step."""

    __slots__ = ()

    _world: ControlledWorld

    def wake(self) -> None:
        self._world.point("wake", self)
        super().wake()


class ControlledLock(VirtualLock):
    """A lock; taking it and giving it back are steps."""

    __slots__ = ("number",)

    _world: ControlledWorld

    def __init__(self, world: ControlledWorld) -> None:
        super().__init__(world)
        self.number = world.count_thing()

    def acquire(self, blocking: bool = True, timeout: float = -1, /) -> bool:  # noqa: FBT001, FBT002 - as Lock
        self._world.point("acquire", self)
        return super().acquire(blocking, timeout)

    def release(self) -> None:
        self._world.point("release", self)
        super().release()

    def __enter__(self) -> bool:
        self._world.point("acquire", self)
        return super().__enter__()

    def __repr__(self) -> str:
        return f"lock {self.number}"


class ControlledMailbox(VirtualMailbox):
    """A queue; putting, taking and looking are steps."""

    __slots__ = ()

    _world: ControlledWorld

    def put(self, item: object, /) -> None:
        self._world.point("put", self)
        super().put(item)

    def get(self) -> Any:  # noqa: ANN401 - what was put
        self._world.point("get", self)
        return super().get()

    def get_nowait(self) -> Any:  # noqa: ANN401 - what was put
        self._world.point("get", self)
        return super().get_nowait()

    def empty(self) -> bool:
        self._world.point("look", self)
        return super().empty()

    def __repr__(self) -> str:
        return self.name


class ControlledWorld(VirtualWorld):
    """A virtual world whose every choice is made by a search.

    Args:
        search: chooses.
        clock_slack_ns: how much too early, in virtual time, a deadline may come while others could still run: 0 never
            (time passes only when nobody can run), None at any time.
        step_limit: after so many steps the main task is thrown StepLimit: something goes round in circles.

    Attributes:
        choices: how many there were, and where they were not the obvious ones.
        steps: what was done, by whom, in order.
    """

    name = "controlled"

    def __init__(self, search: Search, *, clock_slack_ns: int | None = 0, step_limit: int = 20_000) -> None:
        self.choices = SearchOrder(search)
        self.steps: list[Step] = []
        self._clock_slack_ns = clock_slack_ns
        self._step_limit = step_limit
        self._things = 0
        self._names = ["main"]
        super().__init__(self.choices)
        self.lock = partial(ControlledLock, self)

    def waiter(self) -> Waiter:
        return ControlledWaiter(self)

    def mailbox(self, name: str = "mailbox") -> Mailbox[Any]:
        return ControlledMailbox(self, name)

    def spawn(self, function: Callable[[], object], *, name: str, service: bool = False) -> Task:
        self._names.append(name)
        task = super().spawn(function, name=name, service=service)
        self.point("spawn", name)
        return task

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tasks, by number."""
        return tuple(self._names)

    def settle(self) -> None:
        self.choices.over = True

    def close(self) -> list[Task]:
        self.settle()
        return super().close()

    def count_thing(self) -> int:
        """Number a thing, the same in every run that makes the same choices."""
        self._things += 1
        return self._things

    def point(self, action: str, thing: object) -> None:
        """Let the search decide whether the running task takes this step now, or others run first."""
        if self.choices.over:
            return
        task = self.running
        if self.order or self._clock_may_come():
            self.order.add(task)
            self.switch()
        steps = self.steps
        steps.append((task.number, action, thing))
        if len(steps) == self._step_limit:
            self.interrupt(StepLimit(f"{len(steps)} steps and no end: something goes round in circles"))

    def _choose(self) -> VirtualTask:
        while True:
            clock = self._clock_may_come()
            if not self.order:
                return super()._choose()
            running = self.running
            chosen = self.choices.take_or_clock(None if running.finished else running, clock=clock)
            if chosen is not None:
                return chosen
            self.steps.append((CLOCK, "jump", None))
            self._jump()

    def _clock_may_come(self) -> bool:
        slack_ns = self._clock_slack_ns
        if slack_ns == 0 or self.choices.over:
            return False
        deadline_ns = self._next_deadline_ns()
        return deadline_ns is not None and (slack_ns is None or deadline_ns - self._now_ns <= slack_ns)
