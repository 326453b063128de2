"""A job that had completed when its time-out was handled, and was taken off the list for nothing."""

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

    def timed_out(self) -> None:
        """Ask the driver; the job is nobody else's meanwhile."""
        job = self.pending.unlink()
        if job is None:
            return
        if job.hardware.signaled:
            self.no_hang(job)
        else:
            job.hardware.signal(-1)
            job.put()
            self.pending.freed += 1

    def no_hang(self, job: PendingJob) -> None:
        """Go on as if nothing had been; the free worker may have looked in vain meanwhile."""
        self.pending.put_back(job)
        self.pending.free_done()


class HandlerAsItWas(Handler):
    """Knows but one answer, that the job is dealt with."""

    def no_hang(self, job: PendingJob) -> None:
        """Leave it to the free worker, which does not know of it any more."""


def model(handler_class: type[Handler], runtime: Runtime) -> None:
    """Let the timer fire between the end of a job and its freeing."""
    job = PendingJob()
    pending = PendingList(job)
    hardware = job.hardware

    def complete() -> None:
        hardware.signal()
        pending.free_done()

    tasks = [
        runtime.spawn(complete, "hardware and free worker"),
        runtime.spawn(handler_class(pending).timed_out, "TDR"),
    ]
    for task in tasks:
        task.join()
    assert pending.freed == 1, "a job that has completed is never freed"


BUG = Bug(
    name="no-hang-loses-job",
    title="drm/sched: Allow drivers to skip the reset and keep on running",
    fix="0b1217bfdfdd, July 2025",
    symptom="jobs leak",
    interleaving="a job completes; the timer fires before the free worker gets to it, and the handler takes it off the"
    " list; the worker finds nothing; the driver sees that the job is complete and returns",
    repair="an answer that says so: the job is put back, and the free worker is woken",
    broken=lambda runtime: model(HandlerAsItWas, runtime),
    fixed=lambda runtime: model(Handler, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
