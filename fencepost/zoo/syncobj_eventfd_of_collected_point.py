"""An eventfd for a point so long complete that no fence was left of it.

The product has no chains yet; the model has the kernel's, of the product's fences.
"""

from __future__ import annotations

from functools import partial

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence, get_stub
from fencepost.sync import Gate, current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class Chain:
    """Points in order, each with a fence; what has signalled is dropped when a point is added.

    `_lock` protects the points.
    """

    def __init__(self) -> None:
        self._lock = current().lock()
        self._points: dict[int, Fence] = {}

    def add(self, point: int, fence: Fence) -> None:
        """Add a point, and forget those that are complete."""
        with self._lock:
            self._points = {at: fence for at, fence in self._points.items() if not fence.signaled}
            self._points[point] = fence

    def find(self, point: int) -> Fence | None:
        """Return what to wait for to have `point` complete; None is nothing."""
        with self._lock:
            return self._points.get(point)

    def register_eventfd(self, point: int, notify: Gate) -> None:
        """Have `notify` opened when `point` is complete."""
        fence = self.to_wait_for(point)
        assert fence is not None, "a callback is added to no fence at all"
        if not fence.add_callback(lambda _fence: notify.open()):
            notify.open()

    def to_wait_for(self, point: int) -> Fence | None:
        """Return a fence that signals when `point` is complete."""
        fence = self.find(point)
        return get_stub() if fence is None else fence


class ChainAsItWas(Chain):
    """Takes what it finds."""

    def to_wait_for(self, point: int) -> Fence | None:
        return self.find(point)


def model(chain: Chain, runtime: Runtime) -> None:
    """Register an eventfd for a point that signals and is collected."""
    first = Fence(name="first")
    chain.add(1, first)
    notify = Gate("eventfd")
    runtime.spawn(first.signal, "device")
    runtime.spawn(partial(chain.add, 2, Fence(name="second")), "submitter")
    chain.register_eventfd(1, notify)
    notify.wait()


BUG = Bug(
    name="syncobj-eventfd-of-collected-point",
    title="handle NULL fence in syncobj_eventfd_entry_func",
    fix="February 2024, among the fixes for 6.8-rc6; its commit, 2aa6f5b0fd05, is not verified",
    symptom="the kernel follows a pointer to nothing",
    interleaving="the point signals; a submission finds it complete and drops it from the chain; the registration looks"
    " it up, is told that there is nothing to wait for, and adds its callback to that",
    repair="take a fence that has signalled where there is none left",
    broken=lambda runtime: model(ChainAsItWas(), runtime),
    fixed=lambda runtime: model(Chain(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
