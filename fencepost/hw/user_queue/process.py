"""A process that uses a device: its doorbells and its queues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fencepost.hw.user_queue.doorbell import DoorbellPage
from fencepost.hw.user_queue.messages import Release, Suspend
from fencepost.policies import Priority
from fencepost.sync import Gate

if TYPE_CHECKING:
    from fencepost.hw.user_queue.mes import Mes
    from fencepost.hw.user_queue.queue import UserQueue

__all__ = ["Process"]


class Process:
    """The queues of one client on one device. Made by `Mes.process`.

    Whoever wants its memory takes all its queues off the hardware first: `hw.eviction.ComputeProcess` does so.

    Args:
        mes: the device.
        name: whom the time of its queues is charged to.

    Attributes:
        page: its doorbells.
    """

    def __init__(self, mes: Mes, name: str) -> None:
        self.mes = mes
        self.name = name
        self.page = DoorbellPage(name)

    def queue(
        self,
        engines: str | Sequence[str],
        name: str | None = None,
        *,
        size: int = 256,
        priority: Priority = Priority.NORMAL,
        lost: Callable[[int], object] | None = None,
        aggregated: bool = False,
    ) -> UserQueue:
        """Make a queue. Client context. See `Mes.queue`."""
        return self.mes.queue(self, engines, name, size=size, priority=priority, lost=lost, aggregated=aggregated)

    def hold(self) -> Gate:
        """Take its queues off the hardware until `release`, also those that are made meanwhile; opens when they are.

        Holds are counted. Never blocks; any context.
        """
        gate = Gate(f"the suspension of {self.name}")
        self.mes.firmware.post(Suspend(self, gate.open))
        return gate

    def release(self) -> None:
        """Undo one `hold`. Never blocks; any context."""
        self.mes.firmware.post(Release(self))

    def __repr__(self) -> str:
        return f"<process {self.name}>"
