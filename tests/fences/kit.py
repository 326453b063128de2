"""What several tests of fences need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fencepost import sync
from fencepost.fences import Fence, HookedFence

__all__ = ["LONG_S", "SHORT_S", "Work", "together", "until_asleep"]

LONG_S: Final = 20.0
"""How long a test waits for what must happen soon; only a failing one waits so long."""

SHORT_S: Final = 0.002
"""How long a test waits for what does not happen."""


class Work(HookedFence):
    """Is complete when told, tells nobody, and keeps what it was asked.

    Attributes:
        complete: what it says when it is asked.
        enabled: how often it was to be enabled.
        failure: what that raises, if anything.
        deadlines_ns: those it was told.
    """

    __slots__ = ("complete", "deadlines_ns", "enabled", "failure")

    def __init__(self, *, complete: bool = False) -> None:
        super().__init__(name="work")
        self.complete = complete
        self.enabled = 0
        self.failure: Exception | None = None
        self.deadlines_ns: list[int] = []

    def on_enable(self) -> bool:
        if self.failure is not None:
            raise self.failure
        self.enabled += 1
        return not self.complete

    def poll(self) -> bool:
        return self.complete

    def set_deadline(self, when_ns: int) -> None:
        self.deadlines_ns.append(when_ns)


def together(world: sync.World, *functions: Callable[[], object]) -> list[sync.Task]:
    """Run functions in tasks that set off at once; return the tasks, done."""
    start = sync.Gate("the start")

    def set_off(function: Callable[[], object]) -> object:
        start.wait(LONG_S)
        return function()

    tasks = [world.spawn(lambda f=f: set_off(f), name=f"task{i}") for i, f in enumerate(functions)]  # type: ignore[misc]
    start.open()
    assert all(task.join(LONG_S) for task in tasks)
    assert world.failures == []
    return tasks


def until_asleep(world: sync.World, fence: Fence, *tasks: sync.Task) -> None:
    """Let time pass until each of `tasks` is on the fence's list of sleepers."""
    while not all(task.waiting_on is fence for task in tasks):
        world.waiter().wait(world.now_ns() + 100_000, "the sleepers")
