"""The jobs of one entity, as its scheduler sees them."""

from __future__ import annotations

from collections import deque

from fencepost.actors.job import FinishedFence, Job
from fencepost.policies import Node, Priority

__all__ = ["EntityQueue"]


class EntityQueue(Node):
    """An entity in a run queue: its jobs in order, the first `ready_jobs` of which can run.

    Belongs to the actor of the scheduler that the entity is on. It passes to another scheduler only when all jobs are
    finished; the finished fence of the last one orders the former owner's writes before the new owner's.

    Attributes:
        jobs: known to the scheduler and not yet run, oldest first.
        ready_jobs: how many of them, from the front, have no unmet dependency.
        context: fence context of the finished fences.
        last_run: the finished fence of the last job that was given to the hardware, or None.
        done: how many jobs came back from the hardware; the last that the scheduler writes for a job.
        lost: how many ended without the scheduler's actor. Counted by `Scheduler.count_lost`, under a lock.
        ban_error: 0, or what the jobs end with that have not run. Written while the scheduler is stopped.
    """

    __slots__ = ("ban_error", "context", "done", "jobs", "last_run", "lost", "ready_jobs")

    def __init__(self, name: str, priority: Priority, context: int) -> None:
        super().__init__(name, priority)
        self.context = context
        self.jobs: deque[Job] = deque()
        self.ready_jobs = 0
        self.last_run: FinishedFence | None = None
        self.done = 0
        self.lost = 0
        self.ban_error = 0

    def take(self) -> Job:
        """Remove the first job, which is ready, and return it."""
        self.ready_jobs -= 1
        return self.jobs.popleft()

    def recall(self) -> tuple[Job, ...]:
        """Remove all jobs and return those that could have run."""
        ready = tuple(self.jobs)[: self.ready_jobs]
        self.jobs.clear()
        self.ready_jobs = 0
        return ready
