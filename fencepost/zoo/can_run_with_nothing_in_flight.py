"""A scheduler that was told no while nothing ran, so that nothing could ever end and make it ask again.

The third of three ways in which "may this job run?" has no wake-up; see `can-run-woken-before-change`. A fence to wait
for does not exist here, so who must return one has to say what is wrong instead.
"""

from __future__ import annotations

import errno

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]


class Scheduler:
    """Runs one job at a time, while a limit, which a person may set, allows that."""

    def __init__(self) -> None:
        self.limit = Cell("limit", 1)
        self._completions = current().mailbox("completions")

    def run(self, job: Fence) -> None:
        """Run a job to its end, or fail it."""
        while self.limit.load() < 1:
            if not self.wait_for_completion():
                job.signal(-errno.EINVAL)
                return
        job.signal()
        self._completions.put("done")

    def wait_for_completion(self) -> bool:
        """Wait for the end of a job that runs; False when none does."""
        running = not self._completions.empty()
        if running:
            self._completions.get()
        return running


class SchedulerAsItWas(Scheduler):
    """Goes to sleep: some completion will come."""

    def wait_for_completion(self) -> bool:
        self._completions.get()
        return True


def model(scheduler: Scheduler, runtime: Runtime) -> None:
    """Run two jobs while somebody sets the limit to 0."""
    jobs = [Fence(name="first"), Fence(name="second")]

    def run() -> None:
        for job in jobs:
            scheduler.run(job)

    runtime.spawn(run, "scheduler")
    runtime.spawn(lambda: scheduler.limit.store(0), "administrator")
    for job in jobs:
        job.wait()


BUG = Bug(
    name="can-run-with-nothing-in-flight",
    title=None,
    fix='never merged: "drm/scheduler: Add can_run_job callback", an RFC of March 2023 (A. Lina)',
    symptom="all jobs hang, and nothing says why",
    interleaving="the limit is set to 0; the last job that ran has completed, and its wake-up was used; the scheduler"
    " asks, is told no, and waits for a completion",
    repair="return a fence to wait for, or an error when there is none",
    broken=lambda runtime: model(SchedulerAsItWas(), runtime),
    fixed=lambda runtime: model(Scheduler(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
