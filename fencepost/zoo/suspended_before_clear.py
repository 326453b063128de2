"""A handler that told who had suspended a queue before the bit was clear that says so."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.guc import Bit, Guc
from fencepost.hw.guc.driver_context import DriverContext
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import guc_with

__all__ = ["BUG"]


class ContextAsItWas(DriverContext):
    """Tells, then clears."""

    def _clear_pending_disable(self, generation: int | None) -> Bit | None:
        self._queue.suspension.finish()
        return super()._clear_pending_disable(generation)


def model(guc: Guc, runtime: Runtime) -> None:
    """Suspend a queue for a moment."""
    queue = guc.queue(runtime, "rcs0")
    queue.entity.submit(1).finished.wait()
    queue.suspend().wait()
    assert not queue.state.has(Bit.PENDING_DISABLE), "a resume would be sent while the firmware still disables"
    queue.resume()


BUG = Bug(
    name="suspended-before-clear",
    title=None,
    fix="none known: read in the xe driver as of late 2025, a finding of this project, not confirmed on hardware",
    symptom="an assertion of the driver fails: a queue is enabled that is still being disabled",
    interleaving="the handler of the reply signals that the queue is suspended; who waited for that resumes it; the"
    " resume finds the bit of the disable set; only then the handler clears it",
    repair="change the state of a queue first, then tell who waits for it",
    broken=lambda runtime: model(guc_with(context=ContextAsItWas), runtime),
    fixed=lambda runtime: model(guc_with(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
