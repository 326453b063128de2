"""What a runtime has counted."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Leftovers", "RuntimeStatistics"]


@dataclass(frozen=True, slots=True)
class RuntimeStatistics:
    """Counts since the start of a runtime. While jobs are under way they are of slightly different moments.

    Attributes:
        jobs_submitted: armed.
        jobs_completed: done without an error.
        jobs_errored: done with an error of the hardware or the backend.
        jobs_cancelled: killed, or cancelled at teardown.
        fences_armed: scheduled and finished fences of armed jobs.
        fences_signaled: those that have signalled.
        tasks_started: threads, or greenlets.
        tasks_left: those that did not end when the runtime was left.
    """

    jobs_submitted: int
    jobs_completed: int
    jobs_errored: int
    jobs_cancelled: int
    fences_armed: int
    fences_signaled: int
    tasks_started: int
    tasks_left: int


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What had not come to an end by itself when a runtime was left. All zero and empty is the rule.

    Attributes:
        tasks: names of tasks that would not end.
        unpushed_jobs: armed and never pushed; they ended with -ECANCELED.
        abandoned_jobs: killed jobs that waited for a fence nobody signalled; they ended with -ESRCH before it.
    """

    tasks: tuple[str, ...] = ()
    unpushed_jobs: int = 0
    abandoned_jobs: int = 0

    def __bool__(self) -> bool:
        return bool(self.tasks or self.unpushed_jobs or self.abandoned_jobs)
