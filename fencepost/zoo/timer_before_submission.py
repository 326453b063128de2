"""A timer that was started before the job was given to the hardware, and fired in between."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]


class Scheduler:
    """Runs one job, which may take no time at all."""

    def __init__(self) -> None:
        self.submitted = Cell("submitted", value=False)

    def run(self) -> None:
        """Give the job to the hardware, and time it."""
        self.submit()
        self.start_timer()

    def submit(self) -> None:
        self.submitted.store(value=True)

    def start_timer(self) -> None:
        """Have it handled when its time is up: now."""
        timers = current().timers
        timers.call_at(current().now_ns(), self.timed_out)

    def timed_out(self) -> None:
        assert self.submitted.load(), "the handler resets the hardware for a job that is not on it"


class SchedulerAsItWas(Scheduler):
    """Counts the time of the submission too."""

    def run(self) -> None:
        self.start_timer()
        self.submit()


def model(scheduler: Scheduler, runtime: Runtime) -> None:
    """Run a job under a time-out of 0, as a queue that is torn down has it."""
    scheduler.run()
    runtime.world.sleep(1)


BUG = Bug(
    name="timer-before-submission",
    title="drm/sched: Submit job before starting TDR",
    fix="posted 2023, v1 to v4 (M. Brost); not merged",
    symptom="error handling for a job that the hardware has never seen, and that is submitted during it",
    interleaving="the worker arms the timer; it fires at once, and the handler finds a pending job without a hardware"
    " fence; then the worker gives the job to the hardware",
    repair="start the timer when the hardware has the job",
    broken=lambda runtime: model(SchedulerAsItWas(), runtime),
    fixed=lambda runtime: model(Scheduler(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
