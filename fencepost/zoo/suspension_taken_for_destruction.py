"""A reply to a suspension that was taken for that to the destruction which began meanwhile."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.guc import Bit, Guc
from fencepost.hw.guc.driver_context import DriverContext
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import guc_with

__all__ = ["BUG"]


class ContextAsItWas(DriverContext):
    """Clears, then looks."""

    def _clear_pending_disable(self, generation: int | None) -> Bit | None:
        before = super()._clear_pending_disable(generation)
        return None if before is None else self._state.bits


def model(guc: Guc, runtime: Runtime) -> None:
    """Close a queue that is being suspended."""
    queue = guc.queue(runtime, "rcs0")
    queue.entity.submit(1).finished.wait()
    queue.suspend()
    queue.close()
    queue.gone.wait(1)
    assert not guc.firmware.violations, guc.firmware.violations[0]


BUG = Bug(
    name="suspension-taken-for-destruction",
    title="drm/xe/guc_submit: fix race around suspend_pending",
    fix="87651f31ae4e, November 2024 (xe#3371)",
    symptom="the firmware is told twice to forget a queue",
    interleaving="a queue is being suspended, and its owner closes it; the kill ends the wait for the suspension; its"
    " reply comes, and the handler clears the bit; the destruction, which waited for that, marks the queue and sends"
    " a disable of its own; the handler sees the mark, and takes the reply for the destruction's",
    repair="look whether it is marked before the bit is cleared",
    broken=lambda runtime: model(guc_with(context=ContextAsItWas), runtime),
    fixed=lambda runtime: model(guc_with(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
