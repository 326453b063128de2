"""A reset that took a callback back while it ran, and did not wait for it."""

from __future__ import annotations

from collections.abc import Callable

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.sync import current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class FenceAsItWas(Fence):
    """Says that the callback was not there, perhaps before it has run."""

    __slots__ = ()

    def remove_callback(self, callback: Callable[[Fence], object], *, wait: bool = True) -> bool:  # noqa: ARG002
        return super().remove_callback(callback, wait=False)


class Ring:
    """One job on the hardware, and what is done when it completes or hangs.

    `_lock` protects the pending job and the count of completions.
    """

    def __init__(self, hardware_fence: Fence) -> None:
        self._lock = current().lock()
        self._pending = True
        self.hardware_fence = hardware_fence
        self.completions = 0
        hardware_fence.add_callback(self.complete)

    def complete(self, _fence: Fence) -> None:
        """Take the job off the pending list."""
        with self._lock:
            self._pending = False
            self.completions += 1

    def reset(self) -> None:
        """Run the job again, unless it has completed."""
        self.hardware_fence.remove_callback(self.complete)
        with self._lock:
            pending = self._pending
        if pending:
            again = Fence(name="second run")
            again.add_callback(self.complete)
            again.signal()


def model(fence_class: type[Fence], runtime: Runtime) -> None:
    """Reset a ring while its job completes after all."""
    ring = Ring(fence_class(name="first run"))
    clients = [runtime.spawn(ring.hardware_fence.signal, "device"), runtime.spawn(ring.reset, "reset")]
    for client in clients:
        client.join()
    assert ring.completions == 1, f"the job has completed {ring.completions} times"


BUG = Bug(
    name="reset-beside-running-callback",
    title="drm/sched: Refactor ring mirror list handling",
    fix="222b5f044159, December 2018",
    symptom="a job is run again while its completion is being handled",
    interleaving="the hardware signals, and the callback is about to take the job off the pending list; the reset finds"
    " no callback to take back, finds the job still pending, and runs it again",
    repair="wait for hardware fences that have signalled, before anything is run again",
    broken=lambda runtime: model(FenceAsItWas, runtime),
    fixed=lambda runtime: model(Fence, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
