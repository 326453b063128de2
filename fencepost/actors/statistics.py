"""What a runtime has counted."""

from __future__ import annotations

from dataclasses import dataclass

from fencepost.policies import Health

__all__ = ["EntityStatus", "Leftovers", "ResetStatistics", "RuntimeStatistics"]


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
class EntityStatus:
    """What an entity can be told about the recoveries of its device.

    Attributes:
        health: whether it lost anything, and by whose fault.
        error: what its submissions are refused with, as a negative errno; 0 while it takes jobs.
        first_error: what the first of its jobs ended with that failed, for whatever reason; 0 while none has.
        resets: how often its device was reset since the entity was made.
        hangs: how often it was to blame.
        lost_jobs: how many of its jobs were killed or had to run again.
    """

    health: Health
    error: int
    first_error: int
    resets: int
    hangs: int
    lost_jobs: int


@dataclass(frozen=True, slots=True)
class ResetStatistics:
    """What the recoveries of a reset domain came to.

    Attributes:
        resets: recoveries that reset something.
        spurious: reports behind which there was no hang.
        killed_jobs: how many jobs they killed on the hardware.
        requeued_jobs: how many they sent to run again.
        guilty_queues: how often a queue or all queues of an address space were banned as guilty.
        innocent_queues: the same for those that only lost jobs, or of which nothing is known.
        dropped_faults: fault records that nobody read in time.
        recovery_ns: how long all took together, from the report being taken up to the start of the schedulers.
        longest_ns: how long the longest took.
    """

    resets: int
    spurious: int
    killed_jobs: int
    requeued_jobs: int
    guilty_queues: int
    innocent_queues: int
    dropped_faults: int
    recovery_ns: int
    longest_ns: int


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
