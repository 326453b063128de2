"""A driver that found its job well, and left early: before the step that puts the job back."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell
from fencepost.zoo.kernel_pending import PendingJob, PendingList

__all__ = ["BUG"]


class Driver:
    """Handles time-outs. The scheduler has taken the job off the list; stopping it puts the job back."""

    def __init__(self, pending: PendingList) -> None:
        self.pending = pending
        self.address = Cell("address of the front end", 0)
        self._address_before = 0

    def timed_out(self) -> None:
        """Reset the engine, unless it has made progress."""
        job = self.pending.unlink()
        if job is None:
            return
        hangs = self.address.load() == self._address_before
        self.stop(job, hangs=hangs)
        if hangs:
            job.hardware.signal(-1)
        self.pending.free_done()

    def stop(self, job: PendingJob, *, hangs: bool) -> None:  # noqa: ARG002 - who was in a hurry looked at it
        """Stop the scheduler."""
        self.pending.put_back(job)


class DriverAsItWas(Driver):
    """Sees no use in stopping anything for a job that goes on."""

    def stop(self, job: PendingJob, *, hangs: bool) -> None:
        if hangs:
            super().stop(job, hangs=hangs)


def model(driver_class: type[Driver], runtime: Runtime) -> None:
    """Let the timer fire while the engine makes progress."""
    job = PendingJob()
    pending = PendingList(job)
    driver = driver_class(pending)
    hardware = job.hardware

    def execute() -> None:
        driver.address.store(64)
        hardware.signal()
        pending.free_done()

    for task in [runtime.spawn(execute, "engine"), runtime.spawn(driver.timed_out, "TDR")]:
        task.join()
    assert pending.freed == 1, "a job that goes on is on no list: its time-out will never fire again"


BUG = Bug(
    name="job-not-hung-not-put-back",
    title="drm/etnaviv: always start/stop scheduler in timeout processing",
    fix="50248a3e, 2020; v3d likewise",
    symptom="a slow job is never freed, and no time-out is reported any more",
    interleaving="the timer fires, and the scheduler takes the job off its list; the engine has moved on, so the driver"
    " returns; only what it left out would have put the job back",
    repair="stop and start the scheduler, whatever the driver finds",
    broken=lambda runtime: model(DriverAsItWas, runtime),
    fixed=lambda runtime: model(Driver, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
