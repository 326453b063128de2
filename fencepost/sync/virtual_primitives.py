"""What tasks of the virtual world wait in: plain objects of one thread, which need no atomic step."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fencepost.errors import WrongWorld
from fencepost.sync.primitives import Empty
from fencepost.sync.world import NS_PER_S, ambient

if TYPE_CHECKING:
    # They import this module; only the type checkers need the way back.
    from fencepost.sync.virtual import VirtualTask, VirtualWorld

__all__ = ["VirtualLock", "VirtualMailbox", "VirtualWaiter"]


class VirtualWaiter:
    """A sleep of a greenlet."""

    __slots__ = ("_sleeper", "_world", "woken")

    def __init__(self, world: VirtualWorld) -> None:
        self._world = world
        self._sleeper: VirtualTask | None = None
        self.woken = False

    @property
    def asleep(self) -> bool:
        """True from the moment the task waits until it may run again."""
        return self._sleeper is not None

    def wait(self, deadline_ns: int | None, on: object) -> bool:
        return self.wait_anywhere(deadline_ns, on, may_block=False)

    def wait_anywhere(self, deadline_ns: int | None, on: object, *, may_block: bool = True) -> bool:
        """Wait, also where the task must not block: for a lock, which its holder gives back without waiting."""
        world = self._world
        task = world.running
        if not may_block and task.no_block is not None:
            task.check_may_block(on)
        if ambient.world is not world:
            raise WrongWorld(f"{on} is of a virtual world and is waited for outside of it")
        if self.woken or (deadline_ns is not None and deadline_ns <= world.now_ns()):
            return self.woken
        self._sleeper, task.sleep, task.waiting_on = task, self, on
        if deadline_ns is not None:
            world.wake_at(deadline_ns, self)
        try:
            world.switch()
        except BaseException:
            if self.asleep:
                # Interrupted from outside before it slept, by a signal: nobody shall wake who does not sleep.
                self._sleeper = task.sleep = task.waiting_on = None
            raise
        return self.woken

    def wake(self) -> None:
        # Not only when it sleeps: whether another thread finds it asleep would be chance.
        if ambient.world is not self._world:
            raise WrongWorld("a task of a virtual world is woken from outside of it")
        self.woken = True
        self.end_sleep()

    def end_sleep(self) -> None:
        """Let the sleeper run again, whether woken or not."""
        sleeper = self._sleeper
        if sleeper is not None:
            self._sleeper = sleeper.sleep = sleeper.waiting_on = None
            self._world.order.add(sleeper)


class Line:
    """Tasks that wait for the same thing, woken one at a time in the order they came.

    Who is woken looks again whether the thing is there, since another may have taken it meanwhile.
    """

    __slots__ = ("_anywhere", "_waiters", "_world")

    def __init__(self, world: VirtualWorld, *, anywhere: bool = False) -> None:
        self._world = world
        self._anywhere = anywhere
        self._waiters: deque[VirtualWaiter] = deque()

    def wait(self, deadline_ns: int | None, on: object) -> bool:
        """Block until woken; False when the clock reached `deadline_ns` first."""
        waiter = VirtualWaiter(self._world)
        self._waiters.append(waiter)
        try:
            return waiter.wait_anywhere(deadline_ns, on) if self._anywhere else waiter.wait(deadline_ns, on)
        except BaseException:
            # Woken and interrupted at once: the wake is for whoever comes next.
            if waiter.woken:
                self.wake_one()
            raise
        finally:
            if not waiter.woken:
                self._waiters.remove(waiter)

    def wake_one(self) -> None:
        """Wake the first, if there is one."""
        if self._waiters:
            # Woken before it leaves, since that is refused in another world.
            self._waiters[0].wake()
            self._waiters.popleft()


class VirtualLock:
    """A lock among greenlets: contended only when its holder waits for something while holding it.

    Attributes:
        holder: the task that holds it, or None.
        world: where it was made.
    """

    __slots__ = ("_line", "holder", "world")

    def __init__(self, world: VirtualWorld) -> None:
        self.world = world
        self.holder: VirtualTask | None = None
        self._line: Line | None = None

    def acquire(self, blocking: bool = True, timeout: float = -1, /) -> bool:  # noqa: FBT001, FBT002 - as Lock
        if self.holder is None:
            self.holder = self.world.running
            return True
        return blocking and self._acquire_contended(None if timeout < 0 else timeout)

    def _acquire_contended(self, timeout_s: float | None) -> bool:
        world = self.world
        deadline_ns = None if timeout_s is None else world.now_ns() + round(timeout_s * NS_PER_S)
        if self._line is None:
            self._line = Line(world, anywhere=True)
        while self.holder is not None:
            if not self._line.wait(deadline_ns, self):
                return False
        self.holder = world.running
        return True

    def release(self) -> None:
        if self.holder is None:
            raise RuntimeError("release of a lock that nobody holds")
        self.holder = None
        if self._line is not None:
            self._line.wake_one()

    def locked(self) -> bool:
        return self.holder is not None

    def __enter__(self) -> bool:
        if self.holder is None:
            self.holder = self.world.running
            return True
        return self._acquire_contended(None)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None, /
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<lock held by {self.holder.name}>" if self.holder else "<lock, free>"


class VirtualMailbox:
    """A queue whose receivers are greenlets."""

    __slots__ = ("_items", "_line", "_world", "name")

    def __init__(self, world: VirtualWorld, name: str) -> None:
        self._world = world
        self._items: deque[Any] = deque()
        self._line: Line | None = None
        self.name = name

    def put(self, item: object, /) -> None:
        # The wake first: where it is refused, nothing was put.
        if self._line is not None:
            self._line.wake_one()
        self._items.append(item)

    def get(self) -> Any:  # noqa: ANN401 - what was put
        while not self._items:
            if self._line is None:
                self._line = Line(self._world)
            self._line.wait(None, self)
        return self._items.popleft()

    def get_nowait(self) -> Any:  # noqa: ANN401 - what was put
        if not self._items:
            raise Empty
        return self._items.popleft()

    def empty(self) -> bool:
        return not self._items

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self._items)} waiting>"
