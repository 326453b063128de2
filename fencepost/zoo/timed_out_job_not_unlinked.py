"""A timeout handler that worked on a job which the pending list could still lose."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.kernel_pending import PendingJob, PendingList

__all__ = ["BUG"]


class Handler:
    """What runs when the timer has fired."""

    def __init__(self, pending: PendingList) -> None:
        self.pending = pending

    def handle(self) -> None:
        """Look at the oldest job, for the log and for the reset."""
        job = self.pending.unlink()
        if job is not None:
            job.touch()
            self.pending.put_back(job)
            # It may have completed meanwhile, and nobody has looked since.
            self.pending.free_done()


class HandlerAsItWas(Handler):
    """Leaves the job where the free worker finds it."""

    def handle(self) -> None:
        job = self.pending.peek()
        if job is not None:
            job.touch()


def model(handler_class: type[Handler], runtime: Runtime) -> None:
    """Let a job complete while its time-out is handled."""
    job = PendingJob()
    pending = PendingList(job)
    hardware = job.hardware

    def complete() -> None:
        hardware.signal()
        pending.free_done()

    tasks = [runtime.spawn(complete, "hardware and free worker"), runtime.spawn(handler_class(pending).handle, "TDR")]
    for task in tasks:
        task.join()
    assert pending.freed == 1, f"a job that has completed is freed {pending.freed} times"


BUG = Bug(
    name="timed-out-job-not-unlinked",
    title="drm/scheduler: Avoid accessing freed bad job",
    fix="135517d3565b, November 2019",
    symptom="use after free in a timeout handler",
    interleaving="the timer fires; the job completes after all, and the free worker frees it; the handler, which has"
    " looked it up before, dumps its state",
    repair="take the job off the pending list before the driver sees it, and put it back afterwards",
    broken=lambda runtime: model(HandlerAsItWas, runtime),
    fixed=lambda runtime: model(Handler, runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
