"""The jobs of one entity, as its scheduler sees them."""

from __future__ import annotations

import errno
from collections import deque
from typing import TYPE_CHECKING, Final

from fencepost.actors.job import FinishedFence, Job
from fencepost.actors.statistics import EntityStatus
from fencepost.policies import Health, Node, Priority
from fencepost.sync.tracking import tracked

if TYPE_CHECKING:
    from fencepost.actors.cgroups.client import Client

__all__ = ["KEPT_OF_DESTROYED", "EntityQueue"]

KEPT_OF_DESTROYED: Final = frozenset(
    {"ban_error", "client", "entry", "first_error", "hangs", "health", "lost", "lost_jobs", "vm"}
)
"""What of a destroyed entity's queue is still used: by clients; by a run queue that finds a stale entry of it; and by
who ended a job without the scheduler, and counts that after the signal. See `World.poison`."""


@tracked("submit_ns", "turn")
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
        vm: the name of its address space.
        client: who pays for its jobs, or None. Written before the first.
        first_error: what the first job ended with that failed; 0 while none has. Written before that job's fence
            signals.
        ban_error: 0, or what the jobs end with that have not run. This and the next three are written in recoveries.
        health: what it is told about itself.
        hangs: how often it was to blame.
        lost_jobs: how many of its jobs were killed or had to run again.
    """

    __slots__ = (
        "ban_error",
        "client",
        "context",
        "done",
        "first_error",
        "hangs",
        "health",
        "jobs",
        "last_run",
        "lost",
        "lost_jobs",
        "observed_",
        "ready_jobs",
        "vm",
    )

    def __init__(self, name: str, priority: Priority, context: int, vm: str = "") -> None:
        super().__init__(name, priority)
        self.context = context
        self.vm = vm
        self.client: Client | None = None
        self.jobs: deque[Job] = deque()
        self.ready_jobs = 0
        self.last_run: FinishedFence | None = None
        self.done = 0
        self.lost = 0
        self.first_error = self.ban_error = 0
        self.health = Health.HEALTHY
        self.hangs = self.lost_jobs = 0

    def __repr__(self) -> str:
        return f"<EntityQueue {self.name}>"

    def status(self, resets: int) -> EntityStatus:
        """Tell what recoveries have done to it, of which there were so many. Any context."""
        return EntityStatus(
            self.health, self.ban_error, self.first_error, resets, hangs=self.hangs, lost_jobs=self.lost_jobs
        )

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

    def ban(self, health: Health, error: int = -errno.ECANCELED) -> None:
        """Run nothing more of it. Who was found guilty once remains so."""
        self.ban_error = self.ban_error or error
        if self.health is not Health.GUILTY:
            self.health = health
