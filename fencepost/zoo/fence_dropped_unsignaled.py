"""A fence that its owner dropped while others waited for it."""

from __future__ import annotations

import warnings

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.fences.callbacks import Callbacks
from fencepost.sync import Gate
from fencepost.zoo.bug import Bug
from fencepost.zoo.point import point

__all__ = ["BUG"]


class CallbacksAsTheyWere(Callbacks):
    """Go with their fence."""

    __slots__ = ()

    def _abandoned(self) -> None:
        self.clear()


class FenceAsItWas(Fence):
    """Tells nobody that it goes."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self._callbacks = CallbacksAsTheyWere()


def model(fence: Fence, runtime: Runtime) -> None:
    """Wait for a fence that its owner drops."""
    owned = [fence]
    del fence

    def drop() -> None:
        point("drop", "the fence")
        owned.clear()

    def wait() -> None:
        done = Gate("dependency")
        point("read", "the fence")
        if owned and owned[0].add_callback(lambda _fence: done.open()):
            done.wait()

    with warnings.catch_warnings():
        # Dropping it is a bug, of which the product warns; here it is the subject.
        warnings.simplefilter("ignore", RuntimeWarning)
        clients = [runtime.spawn(drop, "owner"), runtime.spawn(wait, "waiter")]
        for client in clients:
            client.join()


BUG = Bug(
    name="fence-dropped-unsignaled",
    title="Signal all callbacks from dma_fence_release",
    fix="posted on 9 June 2019 (dma-fence); commit not known",
    symptom="whatever depends on the fence hangs",
    interleaving="a waiter adds its callback; the owner puts the last reference, and nobody is left to signal",
    repair="signal with an error what is pending when the last reference goes",
    broken=lambda runtime: model(FenceAsItWas(), runtime),
    fixed=lambda runtime: model(Fence(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
