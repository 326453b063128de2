"""The virtual world: greenlets on one thread, and a clock that jumps to the next deadline when nothing else can run.

A task that must wait picks its successor itself and switches straight to it. `_reaper` is the parent of all greenlets and
gets control only when one of them ends. Computing costs no virtual time; only waiting does.
"""

from __future__ import annotations

import heapq
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from greenlet import GreenletExit, getcurrent, greenlet

from fencepost.errors import Deadlock, WrongContext, WrongWorld
from fencepost.sync.order import ArrivalOrder, Order
from fencepost.sync.primitives import Empty
from fencepost.sync.task import Task
from fencepost.sync.world import World, ambient

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from fencepost.sync.primitives import Mailbox, Waiter

__all__ = ["VirtualWorld"]


class VirtualTask(Task):
    """A task carried by a greenlet.

    Attributes:
        sleep: the waiter it sleeps in, or None.
        summons: an exception that it must raise when it runs next, or None.
    """

    __slots__ = ("_world", "finished", "greenlet", "joiners", "sleep", "summons")

    def __init__(self, world: VirtualWorld, name: str, *, service: bool) -> None:
        super().__init__(name, service=service)
        self._world = world
        self.greenlet: greenlet = getcurrent()
        self.finished = False
        self.joiners: list[Waiter] = []
        self.sleep: VirtualWaiter | None = None
        self.summons: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.finished

    def join(self, timeout_s: float | None = None) -> bool:
        deadline_ns = None if timeout_s is None else self._world.now_ns() + round(timeout_s * 1e9)
        while not self.finished:
            waiter = self._world.waiter()
            self.joiners.append(waiter)
            if not waiter.wait(deadline_ns, self):
                break
        return self.finished


class VirtualWaiter:
    """A sleep of a greenlet."""

    __slots__ = ("_sleeper", "_woken", "_world")

    def __init__(self, world: VirtualWorld) -> None:
        self._world = world
        self._woken = False
        self._sleeper: VirtualTask | None = None

    @property
    def asleep(self) -> bool:
        """True from the moment the task waits until it may run again."""
        return self._sleeper is not None

    def wait(self, deadline_ns: int | None, on: object) -> bool:
        world = self._world
        task = world.running
        if task.no_block is not None:
            msg = f"{task.name} may not wait for {on}: {task.no_block}"
            raise WrongContext(msg)
        if not self._woken and (deadline_ns is None or deadline_ns > world.now_ns()):
            self._sleeper, task.sleep, task.waiting_on = task, self, on
            if deadline_ns is not None:
                world.wake_at(deadline_ns, self)
            world.switch()
        return self._woken

    def wake(self) -> None:
        self._woken = True
        self.end_sleep()

    def end_sleep(self) -> None:
        """Let the sleeper run again, whether woken or not."""
        sleeper = self._sleeper
        if sleeper is not None:
            if ambient.world is not self._world:
                msg = f"{sleeper.name} sleeps in a virtual world and is woken from outside of it"
                raise WrongWorld(msg)
            self._sleeper = sleeper.sleep = sleeper.waiting_on = None
            self._world.order.add(sleeper)


class VirtualLock:
    """A lock among greenlets: contended only when its holder waits for something while holding it."""

    __slots__ = ("_holder", "_queue", "_world")

    def __init__(self, world: VirtualWorld) -> None:
        self._world = world
        self._holder: Task | None = None
        self._queue: deque[Waiter] | None = None

    def acquire(self, blocking: bool = True, timeout: float = -1, /) -> bool:  # noqa: FBT001, FBT002 - as Lock
        if self._holder is None:
            self._holder = self._world.running
            return True
        return blocking and self._acquire_contended(None if timeout < 0 else timeout)

    def _acquire_contended(self, timeout_s: float | None) -> bool:
        deadline_ns = None if timeout_s is None else self._world.now_ns() + round(timeout_s * 1e9)
        while self._holder is not None:
            waiter = self._world.waiter()
            if self._queue is None:
                self._queue = deque()
            self._queue.append(waiter)
            if not waiter.wait(deadline_ns, self):
                self._queue.remove(waiter)
                return False
        self._holder = self._world.running
        return True

    def release(self) -> None:
        if self._holder is None:
            msg = "release of a lock that nobody holds"
            raise RuntimeError(msg)
        self._holder = None
        if self._queue:
            self._queue.popleft().wake()

    def locked(self) -> bool:
        return self._holder is not None

    def __enter__(self) -> bool:
        if self._holder is None:
            self._holder = self._world.running
            return True
        return self._acquire_contended(None)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None, /
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<lock held by {self._holder.name}>" if self._holder else "<lock, free>"


class VirtualMailbox:
    """A queue whose receiver is a greenlet."""

    __slots__ = ("_items", "_receiver", "_world", "name")

    def __init__(self, world: VirtualWorld, name: str) -> None:
        self._world = world
        self._items: deque[Any] = deque()
        self._receiver: VirtualWaiter | None = None
        self.name = name

    def put(self, item: object, /) -> None:
        self._items.append(item)
        receiver = self._receiver
        if receiver is not None:
            self._receiver = None
            receiver.wake()

    def get(self) -> Any:  # noqa: ANN401 - what was put
        while not self._items:
            self._receiver = VirtualWaiter(self._world)
            self._receiver.wait(None, self)
        return self._items.popleft()

    def get_nowait(self) -> Any:  # noqa: ANN401 - what was put
        if not self._items:
            raise Empty
        return self._items.popleft()

    def empty(self) -> bool:
        return not self._items

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self._items)} waiting>"


class VirtualWorld(World):
    """Greenlets, virtual nanoseconds from 0, one task at a time, chosen by `order`.

    Belongs to the thread that enters it; only that thread may touch what was made in it. When nothing can run and no
    deadline is left, the main task is thrown a `Deadlock` that lists who waits for what.

    Attributes:
        order: who can run, and who runs next.
        running: the task that runs now.
    """

    name = "virtual"

    def __init__(self, order: Order | None = None) -> None:
        self.order: Order = ArrivalOrder() if order is None else order
        self._now_ns = 0
        self._sleeping: list[tuple[int, int, VirtualWaiter]] = []
        self._sleeps = 0
        self._closing = False
        self._main = self.running = VirtualTask(self, "main", service=False)
        self._reaper = greenlet(self._reap)
        super().__init__(lambda: self._now_ns, partial(VirtualLock, self))

    def waiter(self) -> Waiter:
        return VirtualWaiter(self)

    def mailbox(self, name: str = "mailbox") -> Mailbox[Any]:
        return VirtualMailbox(self, name)

    def spawn(self, function: Callable[[], object], *, name: str, service: bool = False) -> Task:
        task = VirtualTask(self, name, service=service)
        task.greenlet = greenlet(partial(self._carry, task, function), self._reaper)
        self._adopt(task)
        self.order.add(task)
        return task

    def task(self) -> Task:
        return self.running

    def enter(self) -> None:
        super().enter()
        self._main.greenlet = getcurrent()
        self._reaper = greenlet(self._reap)

    def interrupt(self, error: BaseException) -> None:
        """Make the main task raise `error` when it runs next, and let it run."""
        self._main.summons = error
        if self._main.sleep is not None:
            self._main.sleep.end_sleep()

    def wake_at(self, deadline_ns: int, waiter: VirtualWaiter) -> None:
        """End the sleep of `waiter` at `deadline_ns`, unless it has ended by then."""
        self._sleeps += 1
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
            summons, task.summons = task.summons, None
            raise summons

    def pass_turn(self) -> None:
        """Let everybody else who can run now have a turn."""
        self.order.add(self.running)
        self.switch()

    def _choose(self) -> VirtualTask:
        while not self.order:
            if not self._jump():
                self.interrupt(Deadlock(self._deadlock()))
        return cast("VirtualTask", self.order.take())

    def _jump(self) -> bool:
        """Move the clock to the next deadline and end the sleeps that reach it; False when there is none."""
        sleeping = self._sleeping
        while sleeping and not sleeping[0][2].asleep:
            heapq.heappop(sleeping)
        if not sleeping:
            return False
        self._now_ns = sleeping[0][0]
        while sleeping and sleeping[0][0] <= self._now_ns:
            heapq.heappop(sleeping)[2].end_sleep()
        return True

    def _deadlock(self) -> str:
        stuck = [task for task in (self._main, *self.tasks) if task.waiting_on is not None and not task.service]
        idle = sum(task.service and not task.done for task in self.tasks)
        rows = "".join(f"\n  {task.name} waits for {task.waiting_on}" for task in stuck)
        return f"nothing can run any more at {self._now_ns / 1e9:.6f} s; {idle} services are idle{rows}"

    def _carry(self, task: VirtualTask, function: Callable[[], object]) -> None:
        try:
            task.result = function()
        except GreenletExit:
            pass
        except Exception as error:  # noqa: BLE001 - kept for whoever joins or closes
            task.error = error
            self.failures.append(error)
        except BaseException as error:  # noqa: BLE001 - the main task is the one to end the program
            task.error = error
            self.interrupt(error)
        task.finished = True
        for joiner in task.joiners:
            joiner.wake()

    def _reap(self, *_ended: object) -> None:
        while True:
            self.running = self._choose()
            self.running.greenlet.switch()

    def _join_all(self) -> list[Task]:
        """Let what can run now come to its end, then unwind the rest where it stands."""
        while self.order:
            self.pass_turn()
        self._closing = True
        left = [task for task in self.tasks if not task.done]
        for task in cast("list[VirtualTask]", left):
            self.running = task
            task.greenlet.parent = getcurrent()
            task.greenlet.throw(GreenletExit)
        self.running = self._main
        self.tasks.clear()
        return left
