"""The virtual world: greenlets on one thread, and a clock that jumps to the next deadline when nothing else can run.

A task that must wait, or has ended, picks its successor itself and switches straight to it. Computing costs no virtual
time, only waiting does: a loop that asks again and again without ever waiting is never interrupted, and never ends.
"""

from __future__ import annotations

import heapq
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from greenlet import GreenletExit, getcurrent, greenlet

from fencepost.errors import Deadlock, WrongWorld
from fencepost.sync.carrier import Carriers
from fencepost.sync.order import ArrivalOrder, Order
from fencepost.sync.primitives import wake_all
from fencepost.sync.resource import claims_in_words
from fencepost.sync.task import Task
from fencepost.sync.virtual_primitives import VirtualLock, VirtualMailbox, VirtualWaiter
from fencepost.sync.world import World, ambient, deadline_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from fencepost.sync.primitives import Mailbox, Waiter

__all__ = ["VirtualWorld"]

SWEEP_FLOOR: Final = 64

TURNS_AT_CLOSE: Final = 100_000
"""How often the others may run while the world closes, before those that go on for ever are unwound too."""


class VirtualTask(Task):
    """A task carried by a greenlet.

    Attributes:
        number: 0 for the main task, the others count from 1 in the order of their start.
        sleep: the waiter it sleeps in, or None.
        summons: an exception that it must raise when it runs next, or None.
    """

    __slots__ = ("_world", "finished", "greenlet", "joiners", "number", "sleep", "summons")

    def __init__(self, world: VirtualWorld, name: str, number: int, *, service: bool) -> None:
        super().__init__(name, service=service)
        self._world = world
        self.number = number
        self.greenlet: greenlet = getcurrent()
        self.finished = False
        self.joiners: list[Waiter] = []
        self.sleep: VirtualWaiter | None = None
        self.summons: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.finished

    def obey(self) -> None:
        """Raise what it was summoned with."""
        summons, self.summons = self.summons, None
        assert summons is not None
        raise summons

    def join(self, timeout_s: float | None = None) -> bool:
        when_ns = deadline_ns(timeout_s)
        if not self.finished:
            waiter = self._world.waiter()
            self.joiners.append(waiter)
            try:
                waiter.wait(when_ns, self)
            finally:
                self.joiners.remove(waiter)
        return self.finished


class VirtualWorld(World):
    """Greenlets, virtual nanoseconds from 0, one task at a time, chosen by `order`.

    Belongs to the thread that enters it; only that thread may touch what was made in it. When nothing can run and no
    deadline is left, the main task is thrown a `Deadlock` that lists who waits for what. When a task raises what asks
    the whole program to end (KeyboardInterrupt, SystemExit), the main task raises it.

    Attributes:
        order: who can run, and who runs next.
        running: the task that runs now.
    """

    name = "virtual"
    task_class: ClassVar[type[VirtualTask]] = VirtualTask

    def __init__(self, order: Order | None = None) -> None:
        self.order: Order = ArrivalOrder() if order is None else order
        self._now_ns = 0
        self._sleeping: list[tuple[int, int, VirtualWaiter]] = []
        self._sleeps = 0
        self._sweep_at = SWEEP_FLOOR
        self._closing = False
        self._main = self.running = self.task_class(self, "main", 0, service=False)
        self._carriers: Carriers | None = None
        self._carriers_lent = False
        super().__init__(lambda: self._now_ns, partial(VirtualLock, self))

    def waiter(self) -> Waiter:
        return VirtualWaiter(self)

    def mailbox(self, name: str = "mailbox") -> Mailbox[Any]:
        return VirtualMailbox(self, name)

    def spawn(self, function: Callable[[], object], *, name: str, service: bool = False) -> Task:
        if ambient.world is not self:
            raise WrongWorld(f"{name} is spawned from outside of its virtual world")
        assert self._carriers is not None
        task = self.task_class(self, name, self.tasks_started + 1, service=service)
        task.greenlet = self._carriers.take(partial(self._carry, task, function), self._main.greenlet)
        self._adopt(task)
        self.order.add(task)
        return task

    def task(self) -> Task:
        return self.running

    def enter(self) -> None:
        super().enter()
        self._main.greenlet = getcurrent()
        lent, ambient.carriers = ambient.carriers, None
        self._carriers_lent = lent is not None
        self._carriers = Carriers() if lent is None else lent

    def close(self) -> list[Task]:
        try:
            return super().close()
        finally:
            self._let_carriers_go()

    def _let_carriers_go(self) -> None:
        carriers, self._carriers = self._carriers, None
        if carriers is None:
            return
        if self._carriers_lent:
            ambient.carriers = carriers
        else:
            carriers.close()

    def interrupt(self, error: BaseException) -> None:
        """Make the main task raise `error` when it runs next, and let it run."""
        if isinstance(error, GreenletExit):
            # Whoever caught it is being unwound: that is no wish of the program's.
            return
        # A wish of the program's is not replaced by the deadlock that may come of it.
        if self._main.summons is None or isinstance(self._main.summons, Exception):
            self._main.summons = error
        if self._main.sleep is not None:
            self._main.sleep.end_sleep()

    def wake_at(self, deadline_ns: int, waiter: VirtualWaiter) -> None:
        """End the sleep of `waiter` at `deadline_ns`, unless it has ended by then."""
        self._sleeps += 1
        if len(self._sleeping) > self._sweep_at:
            # Sleeps that ended early, of tasks that wait with a far-away time-out again and again.
            self._sleeping[:] = [entry for entry in self._sleeping if entry[2].asleep]
            heapq.heapify(self._sleeping)
            self._sweep_at = max(SWEEP_FLOOR, 2 * len(self._sleeping))
        heapq.heappush(self._sleeping, (deadline_ns, self._sleeps, waiter))

    def switch(self) -> None:
        """Let others run until the running task is chosen again."""
        if self._closing:
            raise GreenletExit
        task = self.running
        successor = self._choose()
        if successor is not task:
            self.running = successor
            successor.greenlet.switch()
        if task.summons is not None:
            task.obey()

    def pass_turn(self) -> None:
        """Let everybody else who can run now have a turn."""
        self.order.add(self.running)
        self.switch()

    def _choose(self) -> VirtualTask:
        while not self.order:
            if not self._jump():
                self.interrupt(Deadlock(self._deadlock()))
                if not self.order:
                    # The main task was chosen, and an exception from outside (a signal's) has come before its turn.
                    self.order.add(self._main)
        return cast("VirtualTask", self.order.take())

    def _jump(self) -> bool:
        """Move the clock to the next deadline and end the sleeps that reach it; False when there is none."""
        deadline_ns = self._next_deadline_ns()
        if deadline_ns is None:
            return False
        self._now_ns = deadline_ns
        sleeping = self._sleeping
        while sleeping and sleeping[0][0] <= deadline_ns:
            heapq.heappop(sleeping)[2].end_sleep()
        return True

    def _next_deadline_ns(self) -> int | None:
        sleeping = self._sleeping
        while sleeping and not sleeping[0][2].asleep:
            heapq.heappop(sleeping)
        return sleeping[0][0] if sleeping else None

    def _deadlock(self) -> str:
        waiting = [task for task in (self._main, *self.tasks) if task.waiting_on is not None]
        # A service without mail is idle; one that waits for something else in the middle of its work is not.
        stuck = [task for task in waiting if not (task.service and isinstance(task.waiting_on, (VirtualMailbox, str)))]
        idle = sum(task.service and not task.done and task not in stuck for task in self.tasks)
        rows = "".join(f"\n  {task.name}{errand_of(task)} waits for {task.waiting_on}" for task in stuck)
        said = f"nothing can run any more at {self._now_ns / 1e9:.6f} s; {idle} services are idle{rows}"
        return said + claims_in_words(self.claims.values())

    def _carry(self, task: VirtualTask, function: Callable[[], object]) -> greenlet | None:
        """Run a task from its beginning to its end, and return who gets the turn then."""
        try:
            task.result = function()
        except GreenletExit:
            pass
        except Exception as error:  # noqa: BLE001 - kept for whoever joins or closes
            task.error = error
            self.failures.append(error)
            if task.service:
                # Others may now wait for it for ever.
                self.interrupt(error)
        except BaseException as error:  # noqa: BLE001 - the main task is the one to end the program
            task.error = error
            self.interrupt(error)
        task.finished = True
        wake_all(task.joiners)
        if self._closing:
            return None
        self.running = successor = self._choose()
        return successor.greenlet

    def _join_all(self) -> list[Task]:
        """Let what can run now come to its end, then unwind the rest where it stands."""
        try:
            for _ in range(TURNS_AT_CLOSE):
                if not self.order:
                    break
                self.pass_turn()
        finally:
            left = self._unwind()
        if self._main.summons is not None:
            self._main.obey()
        return left

    def _unwind(self) -> list[Task]:
        self._closing = True
        left = [task for task in self.tasks if not task.done]
        for task in cast("list[VirtualTask]", left):
            self.running = task
            task.greenlet.parent = getcurrent()
            task.greenlet.throw(GreenletExit)
        self.running = self._main
        self.tasks.clear()
        return left


def errand_of(task: Task) -> str:
    """Say what a task is at, where that is known."""
    return f", at {task.errand}," if task.errand else ""
