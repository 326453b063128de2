"""A replay after a reset that ran what had been complete before it."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.guc import Guc, GucQueue
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import guc_with

__all__ = ["BUG"]


class QueueAsItWas(GucQueue):
    """Emits all that is pending."""

    def _replay(self) -> None:
        for entry in self.entries.values():
            self._submit(entry)


def model(guc: Guc, runtime: Runtime) -> None:
    """Reset a device when a job is complete, and the interrupt that would say so is still to come."""
    queue = guc.queue(runtime, "rcs0")
    queue.irq.stop()
    job = queue.entity.submit(0)
    runtime.world.sleep(1)
    runtime.spawn(queue.irq.start, "interrupt")
    guc.reset("a test", blame=False)
    job.finished.wait()
    runtime.world.sleep(1)
    executed = guc.statistics().engines["rcs0"].jobs
    assert executed == 1, f"a job has run {executed} times"


BUG = Bug(
    name="completed-job-replayed",
    title=None,
    fix="00937fe1921a (xe), date and title not known",
    symptom="the tail of a ring is not where the driver believes it to be, and jobs run twice",
    interleaving="a job completes, and before it is freed the device is reset; the ring is wound back to the first"
    " job that is not complete, but all pending ones are emitted",
    repair="emit from that job on",
    broken=lambda runtime: model(guc_with(queue=QueueAsItWas), runtime),
    fixed=lambda runtime: model(guc_with(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
