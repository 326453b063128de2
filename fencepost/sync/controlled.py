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

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Final, cast

from greenlet import GreenletExit

from fencepost.errors import StepLimit, WrongWorld
from fencepost.sync.choices import CLOCK, Candidate, Choices, Search, Step
from fencepost.sync.controlled_primitives import ControlledFlag, ControlledLock, ControlledMailbox, ControlledWaiter
from fencepost.sync.order import Order
from fencepost.sync.primitives import Mailbox, Waiter
from fencepost.sync.resource import claims_in_words
from fencepost.sync.task import Task
from fencepost.sync.things import FIELD, TASKS, Things, first_number
from fencepost.sync.virtual import VirtualTask, VirtualWorld
from fencepost.sync.virtual_primitives import VirtualMailbox
from fencepost.sync.world import ambient

__all__ = ["CLOCK", "Candidate", "ControlledTask", "ControlledWorld", "Search", "Step"]

TURN_EVERY: Final = 64
"""While all is being tidied up, others get a turn at every so manieth step: some poll, and would never end."""


class ControlledTask(VirtualTask):
    """A task; starting, joining and ending it are steps, and so is asking whether it has ended.

    Attributes:
        latest_thing: the number of what it made last.
    """

    __slots__ = ("latest_thing",)

    _world: ControlledWorld

    def __init__(self, world: VirtualWorld, name: str, number: int, *, service: bool) -> None:
        super().__init__(world, name, number, service=service)
        self.latest_thing = first_number(number)

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
        explains: whether it keeps notes.
        choices: how many there were, and where they were not the obvious ones.
        steps: what was done, by whom, in order.
        notes: number of a step -> what there is to say about it.
        stuck_at: how many steps there were when nobody could go on any more; None when that did not happen.
    """

    name = "controlled"
    task_class: ClassVar[type[VirtualTask]] = ControlledTask
    running: ControlledTask

    def __init__(
        self,
        search: Search,
        *,
        clock_slack_ns: int | None = 0,
        step_limit: int = 20_000,
        words: Callable[[object, str], str] | None = None,
    ) -> None:
        self.choices = Choices(search)
        self._able = self.choices.candidates
        self._numbered = cast("list[ControlledTask]", self.choices.tasks)
        self.steps: list[Step] = []
        self.notes: dict[int, str] = {}
        self.stuck_at: int | None = None
        self.explains = words is not None
        self._words = words
        self._clock_slack_ns = clock_slack_ns
        self._step_limit = step_limit
        self._quiet_steps = 0
        self._quiet = False
        self._things = Things()
        super().__init__(cast("Order", self.choices))
        self.choices.tasks.append(self.running)
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
        number = len(self._things.task_names)
        self._things.task_names.append(name)

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
            self.step(action, TASKS)
            return
        number = thing if isinstance(thing, int) else self._things.number_of(thing, self.running)
        self.step(action, number)
        if about is not None and self.explains:
            self.annotate(about, number)

    def step(self, action: str, number: int) -> None:
        """As `point`, for a thing that has a number, and nothing to say about it."""
        if self._quiet:
            self._quiet_steps += 1
            if not self._quiet_steps % TURN_EVERY:
                self._tidy()
            return
        task = self.running
        if self._clock_slack_ns != 0:
            self.pass_turn()
        elif self._able:
            # As `switch`, without the calls: there is no hotter place.
            chosen = self.choices.choose_at_point(task.number)
            if chosen != task.number:
                self.running = successor = self._numbered[chosen]
                successor.greenlet.switch()
                if task.summons is not None:
                    task.obey()
        steps = self.steps
        steps.append((task.number, action, number))
        if len(steps) >= self._step_limit:
            self._out_of_steps()

    def record(self, action: str, number: int, about: object = None) -> None:
        """Note a step of the running task that comes at once after the one before."""
        if self._quiet:
            return
        self.steps.append((self.running.number, action, number))
        if about is not None and self.explains:
            self.annotate(about, number)
        if len(self.steps) >= self._step_limit:
            self._out_of_steps()

    def remark(self, text: str) -> None:
        """Say how the last step went."""
        if self.explains and not self._quiet:
            self.notes[len(self.steps) - 1] = text

    def annotate(self, item: object, number: int = TASKS) -> None:
        """Say what the last step, on the thing of this number, was about."""
        if self._words is not None and not self._quiet:
            self.notes[len(self.steps) - 1] = self._words(item, self._things.name_of(number))

    def read_field(self, guard: ControlledLock, thing: object) -> None:
        """Read a field of `thing` that is written under `guard`: a point, unless by the holder."""
        if guard.holder is not self.running and not self._quiet:
            self.point("read", guard.number + FIELD, thing)

    def write_field(self, guard: ControlledLock, thing: object) -> None:
        """Write such a field: a step, and a point unless by the holder."""
        if self._quiet:
            return
        if guard.holder is not self.running:
            self.point("write", guard.number + FIELD, thing)
        else:
            self.record("write", guard.number + FIELD, thing)

    def switch(self) -> None:
        if self._closing or not self._able or self._clock_slack_ns != 0:
            super().switch()
            return
        task = self.running
        # Who sleeps is nobody to be interrupted.
        chosen = self.choices.choose(None if task.sleep is not None else task.number)
        if chosen != task.number:
            self.running = successor = self._numbered[chosen]
            successor.greenlet.switch()
        if task.summons is not None:
            task.obey()

    def settle(self) -> None:
        self.choices.over = self._quiet = True

    def close(self) -> list[Task]:
        self.settle()
        return super().close()

    def _tidy(self) -> None:
        """Let others run now and then, and unwind whoever goes on for ever, when there is nothing left to choose."""
        if not self.choices.over or self._closing or ambient.world is not self:
            return
        if self._able:
            self.pass_turn()
        if self._quiet_steps > self._step_limit and self.running is not self._main:
            raise GreenletExit

    def _out_of_steps(self) -> None:
        error = StepLimit(f"{len(self.steps)} steps and no end: something goes round in circles")
        self.settle()
        # First: what is cut off in the middle of a step may fail in its clean-up.
        self.failures.append(error)
        if self.running is self._main:
            raise error
        self.interrupt(error)
        raise GreenletExit

    # Choices.

    def _choose(self) -> VirtualTask:
        choices = self.choices
        # Who slept when this began is nobody to be interrupted, even when a jump of the clock wakes it here.
        task = self.running
        running = None if task.finished or task.sleep is not None else task.number
        while True:
            clock = self._clock_may_come()
            if not self._able:
                return super()._choose()
            chosen = choices.choose_or_clock(running) if clock else choices.choose(running)
            if chosen != CLOCK:
                return choices.tasks[chosen]
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
        self.choices.tasks.append(cast("ControlledTask", task))

    # Words.

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tasks, by number."""
        return tuple(self._things.task_names)

    def name_of(self, number: int) -> str:
        """Say what has this number, for a person."""
        return self._things.name_of(number)

    def new_number(self, thing: object) -> int:
        """Number a thing that the running task makes: the same number in every equivalent schedule."""
        maker = self.running
        maker.latest_thing += 1
        if self._words is not None:
            self._things.remember(maker.latest_thing, thing)
        return maker.latest_thing

    def _deadlock(self) -> str:
        self._quiet = True
        if self.stuck_at is None:
            self.stuck_at = len(self.steps)
        try:
            stuck = [task for task in (self._main, *self.tasks) if self._is_stuck(task)]
            idle = sum(task.service for task in self.tasks) - sum(task.service for task in stuck)
            rows = "".join(f"\n  {task.name} waits for {task.waiting_on}" for task in stuck)
            said = f"nothing can run any more at {self._now_ns / 1e9:.6f} s; {idle} services are idle{rows}"
            return said + claims_in_words(self.claims.values())
        finally:
            self._quiet = self.choices.over

    @staticmethod
    def _is_stuck(task: Task) -> bool:
        """Tell a service that waits for mail, or for the next timer, from one that waits for somebody."""
        on = task.waiting_on
        return on is not None and not (task.service and isinstance(on, VirtualMailbox | str))
