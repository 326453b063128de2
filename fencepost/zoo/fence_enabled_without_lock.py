"""A fence that was asked to arm itself after it had been retired."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import HookedFence
from fencepost.zoo.bug import Bug
from fencepost.zoo.refcount import Counted

__all__ = ["BUG"]


class RequestFence(HookedFence):
    """The fence of a driver's request, which is freed once the fence has signalled."""

    __slots__ = ("request",)

    def __init__(self, request: Counted) -> None:
        super().__init__(name="request")
        self.request = request

    def on_enable(self) -> bool:
        self.request.touch()
        return True

    def retire(self) -> None:
        """Signal; nobody will ask for the request any more, so put it."""
        self.signal()
        self.request.put()


class RequestFenceAsItWas(RequestFence):
    """Looks whether it has signalled, then takes the lock."""

    __slots__ = ()

    def enable_signaling(self) -> bool:
        if self._state or self._enabled:
            return not self._state
        self._enabled = True
        with self._lock:
            return self.on_enable()


def model(fence_class: type[RequestFence], runtime: Runtime) -> None:
    """Enable a fence while its request retires."""
    fence = fence_class(Counted("request"))
    runtime.spawn(fence.enable_signaling, "waiter")
    runtime.spawn(fence.retire, "device")


BUG = Bug(
    name="fence-enabled-without-lock",
    title=None,
    fix="9c98f021e4e7 (dma-fence), October 2019; title not known",
    symptom="a driver touches a request that it has retired and freed",
    interleaving="somebody asks for signalling and sees that the fence is pending; the device signals it and frees the"
    " request; now the first has the lock, and has the driver arm the request",
    repair="have one locked helper for all three ways to enable a fence's signalling",
    broken=lambda runtime: model(RequestFenceAsItWas, runtime),
    fixed=lambda runtime: model(RequestFence, runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
