"""The controlled world: the virtual one, with a search that chooses who runs at every synchronisation point.

A point stands before each step that another task could notice: taking and releasing a lock, putting into and looking
into a mailbox, waking a sleeper, starting a task and its end, a tracked field, the state of a fence (see `watched`).
Code between two points is one step. So every outcome that threads could produce through these is produced by some
sequence of choices, and a sequence of choices is enough to produce it again.

What goes around them is not seen: a plain attribute that is read without a lock belongs to the step in which it is
read. Tasks that wait for the same lock or mailbox are woken in the order they came, and whoever comes by may be faster.

The clock is one more candidate: where the timer policy lets it, a deadline may come while others could still run.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from types import FrameType
from typing import Any, ClassVar, Final, Protocol, cast

from greenlet import GreenletExit

from fencepost.errors import StepLimit, WrongWorld
from fencepost.sync.controlled_primitives import ControlledFlag, ControlledLock, ControlledMailbox, ControlledWaiter
from fencepost.sync.primitives import Mailbox, Waiter
from fencepost.sync.task import Task
from fencepost.sync.virtual import VirtualTask, VirtualWorld
from fencepost.sync.virtual_primitives import VirtualMailbox
from fencepost.sync.world import ambient

__all__ = ["CLOCK", "TASKS", "Candidate", "ControlledTask", "ControlledWorld", "Search", "Step"]

CLOCK: Final = -1
"""The number of the clock among the candidates."""

TASKS: Final = 0
"""What a spawn acts upon: the numbers of the tasks. A join and an end act upon the task's own number."""

THINGS_OF_A_TASK: Final = 16
"""So many bits of a thing's number count what its maker has made; above them is the maker."""

FIELD: Final = 1 << 60
"""Added to the number of a guard for the fields under it."""

TURN_EVERY: Final = 64
"""While all is being tidied up, others get a turn at every so manieth step: some poll, and would never end."""

Candidate = int
"""The number of a task: 0 is the main task, the others count from 1 in the order of their start; `CLOCK`."""

Step = tuple[Candidate, str, int]
"""Who did what to which thing.

Things have numbers that do not depend on what other tasks did meanwhile, so they are the same in equivalent schedules.
"""


class Search(Protocol):
    """Chooses who runs next, throughout one schedule."""

    def begin(self, steps: Sequence[Step]) -> None:
        """Note that a schedule begins; `steps` grows with what is done in it."""
        ...

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
        preemptions: how many of them took the turn from somebody who could go on, or let the clock come early.
        over: the world is closing, and nothing is left to choose: first able, first run.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._tasks: list[VirtualTask] = []
        self.add = cast("Callable[[Task], None]", self._tasks.append)
        self.deviations: dict[int, Candidate] = {}
        self.choices = 0
        self.preemptions = 0
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
            self.preemptions += current is not None or chosen == CLOCK
        self.choices += 1
        return None if chosen == CLOCK else tasks.pop(candidates.index(chosen))


class ControlledTask(VirtualTask):
    """A task; starting, joining and ending it are steps, and so is asking whether it has ended."""

    __slots__ = ()

    _world: ControlledWorld

    @property
    def done(self) -> bool:
        self._world.point("look", self.number)
        return self.finished

    def join(self, timeout_s: float | None = None) -> bool:
        self._world.point("join", self.number)
        return super().join(timeout_s)


class ControlledWorld(VirtualWorld):
    """A virtual world whose every choice is made by a search.

    Args:
        search: chooses.
        clock_slack_ns: how much too early, in virtual time, a deadline may come while others could still run: 0 never
            (time passes only when nobody can run), None at any time.
        step_limit: after so many steps the main task is thrown StepLimit: something goes round in circles.
        words: says in a word or two what an item is, and into which mailbox it goes. None (faster) keeps no notes:
            reports know things by number only.

    Attributes:
        choices: how many there were, and where they were not the obvious ones.
        steps: what was done, by whom, in order.
        notes: number of a step -> what there is to say about it.
        stuck_at: how many steps there were when nobody could go on any more; None when that did not happen.
    """

    name = "controlled"
    task_class: ClassVar[type[VirtualTask]] = ControlledTask

    def __init__(
        self,
        search: Search,
        *,
        clock_slack_ns: int | None = 0,
        step_limit: int = 20_000,
        words: Callable[[object, str], str] | None = None,
    ) -> None:
        self.choices = SearchOrder(search)
        self.steps: list[Step] = []
        self.notes: dict[int, str] = {}
        self.stuck_at: int | None = None
        self._words = words
        self._clock_slack_ns = clock_slack_ns
        self._step_limit = step_limit
        self._steps_after_the_end = 0
        self._quiet = False
        self._names = ["main"]
        self._made = [0]
        self._things: dict[int, tuple[object, object]] = {}
        self._numbers: dict[int, int] = {}
        super().__init__(self.choices)
        self.lock = partial(ControlledLock, self)
        self.timers.lock = self.lock()
        search.begin(self.steps)

    # What tasks make.

    def waiter(self) -> Waiter:
        return ControlledWaiter(self)

    def mailbox(self, name: str = "mailbox") -> Mailbox[Any]:
        return ControlledMailbox(self, name)

    def flag(self, name: str = "flag") -> ControlledFlag:
        return ControlledFlag(self, name)

    def spawn(self, function: Callable[[], object], *, name: str, service: bool = False) -> Task:
        if ambient.world is not self:
            raise WrongWorld(f"{name} is spawned from outside of its {self.name} world")
        self.point("spawn", TASKS, name)
        number = len(self._names)
        self._names.append(name)
        self._made.append(0)

        def body() -> object:
            # What it reads of the clock before its first point comes before or after a jump.
            self.record("start", number)
            try:
                return function()
            finally:
                self.point("end", number)

        return super().spawn(body, name=name, service=service)

    # Steps.

    def point(self, action: str, thing: object, about: object = None) -> None:
        """Let the search decide whether the running task takes this step now, or others run first.

        Args:
            action: what it does. `look` and `read` do not matter to each other; any two other steps on a thing do.
            thing: what to, or the number of that. Kept until the world goes.
            about: what else there is to say.
        """
        if self._quiet:
            self._tidy()
            return
        number = thing if isinstance(thing, int) else self.number_of(thing)
        if self.order or self._clock_may_come():
            self.order.add(self.running)
            self.switch()
        self.record(action, number, about)

    def record(self, action: str, number: int, about: object = None) -> None:
        """Note a step of the running task that comes at once after the one before."""
        if self._quiet:
            return
        steps = self.steps
        steps.append((self.running.number, action, number))
        if about is not None and self._words is not None:
            self.notes[len(steps) - 1] = self._words(about, self.name_of(number))
        if len(steps) >= self._step_limit:
            self._out_of_steps()

    def remark(self, text: str) -> None:
        """Say how the last step went."""
        if self._words is not None and not self._quiet:
            self.notes[len(self.steps) - 1] = text

    def annotate(self, item: object) -> None:
        """Say what the last step was about."""
        if self._words is not None and not self._quiet:
            self.notes[len(self.steps) - 1] = self._words(item, "")

    def field_step(self, action: str, guard: ControlledLock, thing: object) -> None:
        """Read or write a field of `thing` that is written under `guard`."""
        if self._quiet:
            return
        number = guard.number + FIELD
        if guard.held_by(self, self.running):
            if action == "write":
                self.record(action, number, thing)
        else:
            self.point(action, number, thing)

    def settle(self) -> None:
        self.choices.over = self._quiet = True

    def close(self) -> list[Task]:
        self.settle()
        return super().close()

    def _tidy(self) -> None:
        """Let others run now and then, and unwind whoever goes on for ever, when there is nothing left to choose."""
        if not self.choices.over or self._closing or ambient.world is not self:
            return
        self._steps_after_the_end += 1
        if self._steps_after_the_end % TURN_EVERY == 0 and self.order:
            self.pass_turn()
        if self._steps_after_the_end > self._step_limit and self.running is not self._main:
            raise GreenletExit

    def _out_of_steps(self) -> None:
        error = StepLimit(f"{len(self.steps)} steps and no end: something goes round in circles")
        self.settle()
        if self.running is self._main:
            raise error
        self.interrupt(error)
        raise GreenletExit

    # Choices.

    def _choose(self) -> VirtualTask:
        # Who slept when this began is nobody to be interrupted, even when a jump of the clock wakes it here.
        running = None if self.running.finished or self.running.sleep is not None else self.running
        while True:
            clock = self._clock_may_come()
            if not self.order:
                return super()._choose()
            chosen = self.choices.take_or_clock(running, clock=clock)
            if chosen is not None:
                return chosen
            self._jump()

    def _jump(self) -> bool:
        jumped = super()._jump()
        if jumped and not self._quiet:
            self.steps.append((CLOCK, "jump", TASKS))
        return jumped

    def _clock_may_come(self) -> bool:
        slack_ns = self._clock_slack_ns
        if slack_ns == 0 or self.choices.over:
            return False
        deadline_ns = self._next_deadline_ns()
        return deadline_ns is not None and (slack_ns is None or deadline_ns - self._now_ns <= slack_ns)

    def _adopt(self, task: Task) -> None:
        # The tasks of a schedule are few: none is forgotten while it lasts, and nobody is asked whether it is done.
        self.tasks_started += 1
        self.tasks.append(task)

    # Words.

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tasks, by number."""
        return tuple(self._names)

    def number_of(self, thing: object) -> int:
        """Number a thing that was not made by the world, when somebody first takes a step on it."""
        number = self._numbers.get(id(thing))
        if number is None:
            number = self._numbers[id(thing)] = self._next_number()
            # Kept, so that no other thing gets its identity.
            self._things[number] = (thing, None)
        return number

    def _next_number(self) -> int:
        maker = self.running.number
        self._made[maker] += 1
        return ((maker + 1) << THINGS_OF_A_TASK) + self._made[maker]

    def new_number(self, thing: object) -> int:
        """Number a thing that the running task makes: the same number in every equivalent schedule."""
        number = self._next_number()
        if self._words is not None:
            self._things[number] = (thing, maker_of(inspect.currentframe()))
        return number

    def name_of(self, number: int) -> str:
        """Say what has this number, for a person."""
        if number < 1 << THINGS_OF_A_TASK:
            return self._names[number] if number else ""
        if number >= FIELD:
            return f"what {self.name_of(number - FIELD)} protects"
        maker = self._names[(number >> THINGS_OF_A_TASK) - 1]
        thing, owner = self._things.get(number, (None, None))
        if isinstance(thing, ControlledWaiter):
            return maker
        if isinstance(thing, ControlledMailbox | ControlledFlag):
            return thing.name
        if id(thing) in self._numbers:
            return str(thing)
        return f"lock {maker}.{number & ((1 << THINGS_OF_A_TASK) - 1)}{said_of(owner)}"

    def _deadlock(self) -> str:
        self._quiet = True
        if self.stuck_at is None:
            self.stuck_at = len(self.steps)
        try:
            stuck = [task for task in (self._main, *self.tasks) if self._is_stuck(task)]
            idle = sum(task.service for task in self.tasks) - sum(task.service for task in stuck)
            rows = "".join(f"\n  {task.name} waits for {task.waiting_on}" for task in stuck)
            return f"nothing can run any more at {self._now_ns / 1e9:.6f} s; {idle} services are idle{rows}"
        finally:
            self._quiet = self.choices.over

    @staticmethod
    def _is_stuck(task: Task) -> bool:
        """Tell a service that waits for mail, or for the next timer, from one that waits for somebody."""
        on = task.waiting_on
        return on is not None and not (task.service and isinstance(on, VirtualMailbox | str))


def maker_of(frame: FrameType | None) -> object:
    """Return who made the thing whose number is being taken in `frame`: an object, or the name of a function."""
    for _ in range(2):
        # Past `new_number`, and the thing's own making.
        frame = None if frame is None else frame.f_back
    return None if frame is None else frame.f_locals.get("self", frame.f_code.co_qualname)


def said_of(owner: object) -> str:
    """Say whose a lock is, without an address: by class and name."""
    if owner is None:
        return ""
    if isinstance(owner, str):
        return f" ({owner.rpartition('.')[2]})"
    name = getattr(owner, "name", "")
    seqno = getattr(owner, "seqno", None)
    return f" ({type(owner).__name__}{f' {name}' if name else ''}{f':{seqno}' if seqno else ''})"
