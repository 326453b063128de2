"""A step of a model that no lock, mailbox or waiter marks as one."""

from __future__ import annotations

from fencepost.sync import current
from fencepost.sync.controlled import ControlledWorld

__all__ = ["point"]


def point(action: str, thing: object) -> None:
    """Let the search of a controlled world run others before what follows; elsewhere do nothing."""
    world = current()
    if isinstance(world, ControlledWorld):
        world.point(action, thing)
