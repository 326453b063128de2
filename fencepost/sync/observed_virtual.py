"""The virtual world with an observer: what depends on time is watched exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fencepost.sync.observed import Observed, ObservedTask
from fencepost.sync.virtual import VirtualTask, VirtualWorld

if TYPE_CHECKING:
    from fencepost.sync.observer import Observer
    from fencepost.sync.order import Order

__all__ = ["ObservedVirtualWorld"]


class ObservedVirtualTask(ObservedTask, VirtualTask):
    """A greenlet that is observed."""

    __slots__ = ()


class ObservedVirtualWorld(Observed, VirtualWorld):
    """A virtual world that is observed.

    Args:
        observer: who watches. One observer watches one world.
        order: as of `VirtualWorld`.
    """

    task_class = ObservedVirtualTask

    def __init__(self, observer: Observer, order: Order | None = None) -> None:
        super().__init__(order)
        self.watch_by(observer)
