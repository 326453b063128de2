"""A fence that is complete when others are, and what all such fences have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fencepost.fences.polled import PolledFence

if TYPE_CHECKING:
    from collections.abc import Callable

    from fencepost.fences.fence import Fence

__all__ = ["ContainerFence"]


class ContainerFence(PolledFence):
    """Signals itself when its members say so.

    It hears of them only once somebody waits for it, adds a callback or asks for it: then it is *armed*, and members
    that are pending keep it. Before that, who asks whether it has signalled makes it look. Either way to the signal
    leaves the same behind.

    Members are never called with a lock of the container held. So they may have locks of their own, and nothing has
    to be left to a worker, as in the kernel (irq_work).
    """

    __slots__ = ()

    def arm(self) -> None:
        """Watch the members, each once whoever asks; it may signal here. Any context.

        What a member raises when its signal is to be enabled is raised here, and the next who asks tries again.
        """
        raise NotImplementedError

    def count(self, fence: Fence) -> None:
        """Note that a member that is watched has signalled. In the context of its signaller."""
        raise NotImplementedError

    def watch(self, fence: Fence) -> bool:
        """Have a member counted when it signals; False when it has."""
        return fence.add_callback(Counting(self))

    def add_callback(self, callback: Callable[[Fence], object]) -> bool:
        self.arm()
        return super().add_callback(callback)

    def enable_signaling(self) -> bool:
        self.arm()
        return super().enable_signaling()

    def wait_until(self, when_ns: int | None) -> bool:
        self.arm()
        return super().wait_until(when_ns)


class Counting:
    """The callback of a container on its member.

    It is false, as are callbacks that nobody misses when they go with a fence that never signalled. The container
    holds its members: so it goes together with them, and what waits for it speaks for itself.
    """

    __slots__ = ("_container",)

    def __init__(self, container: ContainerFence) -> None:
        self._container = container

    def __call__(self, fence: Fence) -> None:
        self._container.count(fence)

    def __bool__(self) -> bool:
        return False
