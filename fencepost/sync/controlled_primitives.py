"""What tasks of the controlled world wait in: each thing another task could notice is a step of its own.

Most steps are *points*: the search may let others run before. Some are only recorded, since they belong to the step
before them: a task goes on after its sleep, a field is written under its lock.
"""

from __future__ import annotations

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
        self._world.record("sleep", self.number, on)
        woken = super().wait(deadline_ns, on)
        self._world.record("go on", self.number)
        return woken

    def wake(self) -> None:
        self._world.point("wake", self.number)
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

    __slots__ = ("number",)

    _world: ControlledWorld

    def __init__(self, world: ControlledWorld) -> None:
        super().__init__(world)
        self.number = world.new_number(self)

    def held_by(self, world: object, task: object) -> bool:
        """Say whether `task` of `world` holds it. No step."""
        return self._holder is task and self._world is world

    def acquire(self, blocking: bool = True, timeout: float = -1, /) -> bool:  # noqa: FBT001, FBT002 - as Lock
        self._world.point("acquire", self.number)
        return super().acquire(blocking, timeout)

    def release(self) -> None:
        try:
            self._world.point("release", self.number)
        finally:
            # Also when the task is called away here: nobody else will give it back.
            super().release()

    def locked(self) -> bool:
        self._world.point("look", self.number)
        return super().locked()

    def __enter__(self) -> bool:
        self._world.point("acquire", self.number)
        return super().__enter__()

    def _acquire_contended(self, timeout_s: float | None) -> bool:
        self._world.remark("taken")
        if self._line is None:
            self._line = ControlledLine(self._world, self.number, anywhere=True)
        return super()._acquire_contended(timeout_s)

    def __repr__(self) -> str:
        holder = f"held by {self._holder.name}" if self._holder else "free"
        return f"<{self._world.name_of(self.number)}, {holder}>"


class ControlledMailbox(VirtualMailbox):
    """A queue; putting, taking and looking are steps."""

    __slots__ = ("number",)

    _world: ControlledWorld

    def __init__(self, world: ControlledWorld, name: str) -> None:
        super().__init__(world, name)
        self.number = world.new_number(self)

    def put(self, item: object, /) -> None:
        self._world.point("put", self.number, item)
        super().put(item)

    def get(self) -> Any:  # noqa: ANN401 - what was put
        self._world.point("get", self.number)
        if self._line is None:
            self._line = ControlledLine(self._world, self.number)
        item = super().get()
        self._world.annotate(item)
        return item

    def get_nowait(self) -> Any:  # noqa: ANN401 - what was put
        self._world.point("get", self.number)
        item = super().get_nowait()
        self._world.annotate(item)
        return item

    def empty(self) -> bool:
        self._world.point("look", self.number)
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
        self._world.point("set", self.number)
        self._set = True

    def is_set(self) -> bool:
        """Say whether it was set."""
        self._world.point("look", self.number)
        return self._set
