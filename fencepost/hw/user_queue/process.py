"""A process that uses a device: its doorbells, its queues, and the fence that others wait for to move its memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fencepost.fences import Fence, Preemption
from fencepost.hw.user_queue.doorbell import DoorbellPage
from fencepost.hw.user_queue.evictor import Evict
from fencepost.hw.user_queue.messages import Release, Suspend
from fencepost.policies import Priority
from fencepost.sync import Gate

if TYPE_CHECKING:
    from fencepost.hw.user_queue.mes import Mes
    from fencepost.hw.user_queue.queue import UserQueue

__all__ = ["Process"]


class Process:
    """The queues of one client on one device. Made by `Mes.process`.

    All its memory has one eviction fence: who wants some of it waits for that, which takes all its queues off the
    hardware. It comes back by itself, with another fence.

    Args:
        mes: the device.
        name: whom the time of its queues is charged to.

    Attributes:
        page: its doorbells.
        preemption: the way off the hardware and back.
        published: called with each new eviction fence, before its queues run; it may only post.
    """

    def __init__(self, mes: Mes, name: str, published: Callable[[Fence], object] | None = None) -> None:
        self.mes = mes
        self.name = name
        self.page = DoorbellPage(name)
        self.published = published
        self.preemption = Preemption(lambda: mes.evictor.post(Evict(self)), name=f"eviction of {name}")

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

    @property
    def eviction_fence(self) -> Fence:
        """The fence that promises the next eviction, or the last one until its queues are back. Any context."""
        return self.preemption.fence

    def evict(self) -> Fence:
        """Have its queues taken off the hardware; the fence that is returned signals when they are.

        What `eviction_fence.wait()` does without the wait. One that is under way is not begun twice. Any context.
        """
        fence = self.eviction_fence
        fence.enable_signaling()
        return fence

    def publish(self, fence: Fence) -> None:
        """Let others find a new eviction fence. By the evictor."""
        if self.published is not None:
            self.published(fence)

    def hold(self) -> Gate:
        """Take its queues off the hardware until `release`, whatever evictions do; opens when they are.

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
