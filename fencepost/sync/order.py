"""Who runs next, where a world has the choice: the place for a search strategy."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fencepost.sync.task import Task

__all__ = ["ArrivalOrder", "Order"]


class Order(Protocol):
    """The tasks that could run now, and the choice among them.

    A virtual world adds each task when it becomes able to run and takes one whenever the running task waits.
    """

    def add(self, task: Task, /) -> None:
        """Note that `task` can run; it is not in here yet."""
        ...

    def take(self) -> Task:
        """Remove one and return it; called only when there is one."""
        ...

    def __bool__(self) -> bool: ...


class ArrivalOrder:
    """First able, first run: one fixed order, so that a run repeats itself to the byte."""

    def __init__(self) -> None:
        self._tasks: deque[Task] = deque()
        self.add = self._tasks.append
        self.take = self._tasks.popleft

    def __bool__(self) -> bool:
        return bool(self._tasks)
