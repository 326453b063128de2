"""A reply to an enable of before a reset, which was taken for one to the enable after it."""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.guc import Bit, Guc
from fencepost.hw.guc.driver_context import DriverContext
from fencepost.hw.guc.messages import ScheduleDone
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import guc_with

__all__ = ["BUG"]

ANSWERING_S: Final = 1.0


class ContextAsItWas(DriverContext):
    """Asks only whether a reply is pending."""

    def _on_enabled(self, generation: int | None) -> bool:
        del generation
        return super()._on_enabled(None)


def model(guc: Guc, runtime: Runtime) -> None:
    """Reset a device while its firmware enables a queue, and is slow to say so."""
    queue = guc.queue(runtime, "rcs0")
    guc.faults.delay(lambda message: isinstance(message, ScheduleDone) and message.enabled, ANSWERING_S, count=2)
    job = queue.entity.submit()
    runtime.world.sleep(ANSWERING_S / 4)
    guc.reset("a test", blame=False)
    runtime.world.sleep(ANSWERING_S * 7 / 8)
    assert queue.state.has(Bit.PENDING_ENABLE), "the driver believes to have an answer, and the firmware gave none"
    guc.terminate(job)
    job.finished.wait()


BUG = Bug(
    name="stale-reply-to-enable-accepted",
    title=None,
    fix="none known: a hazard of the xe driver's design, written down by this project",
    symptom="the driver disables a queue whose enable is not answered, and refuses the true answer as a protocol error",
    interleaving="the firmware answers an enable; before anybody handles that the device is reset, and the queue is"
    " registered and enabled anew; the handler sees that a reply is pending, and takes the old one for it",
    repair="remember which registration of the queue a reply is about",
    broken=lambda runtime: model(guc_with(context=ContextAsItWas), runtime),
    fixed=lambda runtime: model(guc_with(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
