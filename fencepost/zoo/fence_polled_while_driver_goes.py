"""A fence whose driver was asked whether it is complete, and went meanwhile."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import HookedFence
from fencepost.zoo.bug import Bug
from fencepost.zoo.refcount import Counted

__all__ = ["BUG"]


class DriverFence(HookedFence):
    """Asks the hardware, by what belongs to its driver. It is polled without any lock, also beside a signal."""

    __slots__ = ("driver",)

    def __init__(self, driver: Counted) -> None:
        super().__init__(name="hardware")
        self.driver = driver

    def poll(self) -> bool:
        """Say whether the hardware is done; it is when there is no driver any more, since that signals first."""
        if not self.driver.get_unless_zero():
            return True
        self.driver.touch()
        self.driver.put()
        return False


class DriverFenceAsItWas(DriverFence):
    """Takes it that a fence which is pending has a driver."""

    __slots__ = ()

    def poll(self) -> bool:
        self.driver.touch()
        return False


def model(fence_class: type[DriverFence], runtime: Runtime) -> None:
    """Ask for the fence while it signals and the driver goes."""
    fence = fence_class(Counted("driver"))

    def end() -> None:
        fence.signal()
        fence.driver.put()

    runtime.spawn(lambda: fence.signaled, "client")
    runtime.spawn(end, "device")


BUG = Bug(
    name="fence-polled-while-driver-goes",
    title=None,
    fix="RFC of P. Stanner, 2026-06-08, dri-devel: take the fence's lock around its operations; not agreed on",
    symptom="use after free of a driver's data, by whoever asked a fence of it",
    interleaving="a client sees that the fence is pending, and is about to ask the driver; the device signals the fence"
    " and the driver frees its data; the client's question reaches what is gone",
    repair="who asks keeps the driver's data as long as that takes, and finds the fence complete where there are none",
    broken=lambda runtime: model(DriverFenceAsItWas, runtime),
    fixed=lambda runtime: model(DriverFence, runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
