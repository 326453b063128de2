"""What several tests of fences need."""

from __future__ import annotations

from fencepost import sync
from fencepost.fences import Fence

__all__ = ["until_asleep"]


def until_asleep(world: sync.World, fence: Fence, *tasks: sync.Task) -> None:
    """Let time pass until each of `tasks` is on the fence's list of sleepers."""
    while not all(task.waiting_on is fence for task in tasks):
        world.waiter().wait(world.now_ns() + 100_000, "the sleepers")
