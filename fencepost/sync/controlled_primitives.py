"""What tasks of the controlled world wait in: each thing another task could notice is a step of its own.

Most steps are *points*: the search may let others run before. Some are only recorded, since they belong to the step
before them: a task goes on after its sleep, a field is written under its lock.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from fencepost.sync.virtual_primitives import Line, VirtualLock, VirtualMailbox, VirtualWaiter

if TYPE_CHECKING:
    # It imports this module; only the type checkers need the way back.
    from fencepost.sync.controlled import ControlledWorld

__all__ = ["ControlledFlag", "ControlledLock", "ControlledMailbox", "ControlledWaiter"]


class ControlledWaiter(VirtualWaiter):
    """A sleep; waking it is a step."""

    __slots__ = ("number",)

    _world: ControlledWorld

    def __init__(self, world: ControlledWorld) -> None:
        super().__init__(world)
        self.number = world.new_number(self)

    def wait(self, deadline_ns: int | None, on: object) -> bool:
        world = self._world
        world.record("sleep", self.number, on)
        woken = super().wait(deadline_ns, on)
        world.record("go on", self.number)
        return woken

    def wake(self) -> None:
        self._world.step("wake", self.number)
        super().wake()

    def __repr__(self) -> str:
        return self._world.name_of(self.number)


class ControlledLine(Line):
    """Tasks that wait for the same thing; the end of each sleep is recorded as a step on that thing."""

    __slots__ = ("_number",)

    _world: ControlledWorld

    def __init__(self, world: ControlledWorld, number: int, *, anywhere: bool = False) -> None:
        super().__init__(world, anywhere=anywhere)
        self._number = number

    def wait(self, deadline_ns: int | None, on: object) -> bool:
        woken = super().wait(deadline_ns, on)
        self._world.record("go on", self._number)
        return woken


class ControlledLock(VirtualLock):
    """A lock; taking it, giving it back and looking at it are steps."""

    # Taking and giving back are written out, not left to `super()`: half of all steps are these.

    __slots__ = ("number",)

    world: ControlledWorld

    def __init__(self, world: ControlledWorld) -> None:
        self.world = world
        self.holder = None
        self._line = None
        self.number = world.new_number(self)

    def acquire(self, blocking: bool = True, timeout: float = -1, /) -> bool:  # noqa: FBT001, FBT002 - as Lock
        world = self.world
        world.step("acquire", self.number)
        if self.holder is None:
            self.holder = world.running
            return True
        return blocking and self._acquire_contended(None if timeout < 0 else timeout)

    def release(self) -> None:
        try:
            self.world.step("release", self.number)
        finally:
            # Also when the task is called away here: nobody else will give it back.
            if self._line is None and self.holder is not None:
                self.holder = None
            else:
                super().release()

    def locked(self) -> bool:
        self.world.step("look", self.number)
        return super().locked()

    def __enter__(self) -> bool:
        world = self.world
        world.step("acquire", self.number)
        if self.holder is None:
            self.holder = world.running
            return True
        return self._acquire_contended(None)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None, /
    ) -> None:
        try:
            self.world.step("release", self.number)
        finally:
            if self._line is None and self.holder is not None:
                self.holder = None
            else:
                super().release()

    def _acquire_contended(self, timeout_s: float | None) -> bool:
        self.world.remark("taken")
        if self._line is None:
            self._line = ControlledLine(self.world, self.number, anywhere=True)
        return super()._acquire_contended(timeout_s)

    def __repr__(self) -> str:
        holder = f"held by {self.holder.name}" if self.holder else "free"
        return f"<{self.world.name_of(self.number)}, {holder}>"


class ControlledMailbox(VirtualMailbox):
    """A queue; putting, taking and looking are steps."""

    __slots__ = ("number",)

    _world: ControlledWorld

    def __init__(self, world: ControlledWorld, name: str) -> None:
        super().__init__(world, name)
        self.number = world.new_number(self)

    # Also written out.

    def put(self, item: object, /) -> None:
        world = self._world
        world.step("put", self.number)
        if world.explains:
            world.annotate(item, self.number)
        # The wake first: where it is refused, nothing was put.
        if self._line is not None:
            self._line.wake_one()
        self._items.append(item)

    def get(self) -> Any:  # noqa: ANN401 - what was put
        world = self._world
        world.step("get", self.number)
        while not self._items:
            if self._line is None:
                self._line = ControlledLine(world, self.number)
            self._line.wait(None, self)
        item = self._items.popleft()
        if world.explains:
            world.annotate(item)
        return item

    def get_nowait(self) -> Any:  # noqa: ANN401 - what was put
        self._world.step("get", self.number)
        item = super().get_nowait()
        self._world.annotate(item)
        return item

    def empty(self) -> bool:
        self._world.step("look", self.number)
        return super().empty()

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self._items)} waiting>"


class ControlledFlag:
    """A flag; setting and looking are steps."""

    __slots__ = ("_set", "_world", "name", "number")

    def __init__(self, world: ControlledWorld, name: str) -> None:
        self._world = world
        self.name = name
        self._set = False
        self.number = world.new_number(self)

    def set(self) -> None:
        """Set it, for good."""
        self._world.step("set", self.number)
        self._set = True

    def is_set(self) -> bool:
        """Say whether it was set."""
        self._world.step("look", self.number)
        return self._set
