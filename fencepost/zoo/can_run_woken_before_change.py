"""A scheduler that asked "may this job run?", was told no, and was not told when that changed.

The first of three ways in which a predicate has no wake-up of its own; see also `can-run-of-another-scheduler` and
`can-run-with-nothing-in-flight`.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]


class Scheduler:
    """Runs one job at a time, when a completion or a submission makes it look."""

    def __init__(self) -> None:
        self.wake_ups = current().mailbox("wake-ups")
        self.busy = Cell("busy", value=True)

    def can_run_job(self) -> bool:
        """Say whether a job may run now."""
        return not self.busy.load()

    def complete(self) -> None:
        """Handle the completion of the job on the hardware."""
        self.busy.store(value=False)
        self.signal()

    def signal(self) -> None:
        """Signal the job's fence, at which the scheduler looks for what to run next."""
        self.wake_ups.put("done")


class SchedulerAsItWas(Scheduler):
    """Signals, then frees what the job used."""

    def complete(self) -> None:
        self.signal()
        self.busy.store(value=False)


def model(scheduler: Scheduler, runtime: Runtime) -> None:
    """Run a second job while the first completes."""
    scheduler.wake_ups.put("submitted")

    def run_second() -> None:
        scheduler.wake_ups.get()
        while not scheduler.can_run_job():
            scheduler.wake_ups.get()

    runtime.spawn(run_second, "scheduler")
    runtime.spawn(scheduler.complete, "device")


BUG = Bug(
    name="can-run-woken-before-change",
    title=None,
    fix='never merged: "drm/scheduler: Add can_run_job callback", an RFC of March 2023 (A. Lina)',
    symptom="a job that could run never does",
    interleaving="the completion wakes the scheduler; that asks, is told that the hardware is busy, and sleeps; now the"
    " completion says that it is not",
    repair="change what is asked about before the fence signals; or return the fence to wait for",
    broken=lambda runtime: model(SchedulerAsItWas(), runtime),
    fixed=lambda runtime: model(Scheduler(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
