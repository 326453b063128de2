"""A timeout handler that declared the device dead, and went on with what the teardown was freeing."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.kernel_pending import PendingJob, PendingList

__all__ = ["BUG"]


class Handler:
    """Has the scheduler stopped, so that the pending jobs are its own; once the device is wedged, the teardown's."""

    def __init__(self, pending: PendingList, runtime: Runtime) -> None:
        self._pending = pending
        self._runtime = runtime

    def timed_out(self) -> None:
        """Give the device up for the oldest job."""
        job = self._pending.peek()
        assert job is not None
        self.finish(job)
        self.wedge()

    def finish(self, job: PendingJob) -> None:
        """End the job, and be done with its queue."""
        job.touch()
        job.hardware.signal(-1)

    def wedge(self) -> None:
        """Declare the device dead: whoever hears of it tears down what is left."""
        self._runtime.spawn(self.tear_down, "teardown")

    def tear_down(self) -> None:
        """Start the scheduler, and free its jobs."""
        job = self._pending.unlink()
        if job is not None:
            job.hardware.signal(-1)
            job.put()


class HandlerAsItWas(Handler):
    """Has the worst news first."""

    def timed_out(self) -> None:
        job = self._pending.peek()
        assert job is not None
        self.wedge()
        self.finish(job)


def model(handler_class: type[Handler], runtime: Runtime) -> None:
    """Handle a time-out on a device that is beyond recovery."""
    handler_class(PendingList(PendingJob()), runtime).timed_out()


BUG = Bug(
    name="wedged-before-release",
    title="drm/xe: wedge from the timeout handler only after releasing the queue",
    fix="d42df9dce7b3, June 2026, as a secondary source has it",
    symptom="use after free in a timeout handler",
    interleaving="the handler declares the device wedged; the teardown frees the job and starts the scheduler; the"
    " handler goes on with the job",
    repair="declare it as the last step",
    broken=lambda runtime: model(HandlerAsItWas, runtime),
    fixed=lambda runtime: model(Handler, runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
