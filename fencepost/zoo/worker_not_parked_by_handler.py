"""A timeout handler that parked the scheduler's worker too late: after it had looked a job up."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell
from fencepost.zoo.kernel_pending import PendingJob, PendingList

__all__ = ["BUG"]


class Scheduler:
    """A worker that frees jobs, and a handler that parks it.

    `_working` is held by the worker during a pass; before the lock of the pending list.
    """

    def __init__(self, pending: PendingList) -> None:
        self.pending = pending
        self._working = current().lock()
        self._parked = Cell("parked", value=False)

    def work(self) -> None:
        """Free what is complete, unless parked."""
        with self._working:
            if not self._parked.load():
                self.pending.free_done()

    def park(self) -> None:
        """Keep the worker from its next pass, and wait for the end of this one."""
        self._parked.store(value=True)
        with self._working:
            """From here on it finds that it is parked."""

    def timed_out(self) -> None:
        """Look at the oldest job."""
        self.park()
        job = self.pending.peek()
        if job is not None:
            job.touch()
        self._parked.store(value=False)
        self.work()


class SchedulerAsItWas(Scheduler):
    """Looks the job up first."""

    def timed_out(self) -> None:
        job = self.pending.peek()
        self.park()
        if job is not None:
            job.touch()
        self._parked.store(value=False)
        self.work()


def model(scheduler_class: type[Scheduler], runtime: Runtime) -> None:
    """Let a job complete while its time-out is handled."""
    job = PendingJob()
    scheduler = scheduler_class(PendingList(job))
    hardware = job.hardware

    def complete() -> None:
        hardware.signal()
        scheduler.work()

    for task in [runtime.spawn(complete, "hardware and worker"), runtime.spawn(scheduler.timed_out, "TDR")]:
        task.join()
    assert scheduler.pending.freed == 1, "a job that has completed is never freed"


BUG = Bug(
    name="worker-not-parked-by-handler",
    title="drm/sched: serialize job_timeout and scheduler",
    fix="posted 1 September 2021 (M. Liu); it seems not to have been merged",
    symptom="a timeout handler uses a job that the worker has freed",
    interleaving="the handler looks up the oldest job; the job completes, and the worker frees it; the handler parks"
    " the worker and goes on with the job",
    repair="park the worker before anything is looked up",
    broken=lambda runtime: model(SchedulerAsItWas, runtime),
    fixed=lambda runtime: model(Scheduler, runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
