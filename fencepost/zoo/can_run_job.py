"""Schedulers that ask "may this job run?" before each job: a proposal that was refused. A yes or no has no wake-up.

A scheduler is woken by what happens to its own jobs, and by nothing else; so it asks again when one of them has come or
is done. What it asks about must have changed by then, and must be a matter of its own jobs alone.
"""

from __future__ import annotations

from typing import Protocol, cast

from fencepost.actors import Job
from fencepost.actors.scheduler_actor import SchedulerActor

__all__ = ["AskingActor", "Predicate"]


class Predicate(Protocol):
    """What a backend has besides, that is asked.

    (Never merged: can_run_job of drm_sched_backend_ops)
    """

    def can_run_job(self, job: Job) -> bool:
        """Say whether a job may run now. By the scheduler's actor, before it takes it."""
        ...


class AskingActor(SchedulerActor):
    """Takes no job that its backend says may not run."""

    def _take(self, free_credits: int) -> Job | None:
        queue = self._run_queue.select(free_credits)
        if queue is None or not cast("Predicate", self._backend).can_run_job(queue.jobs[0]):
            return None
        return super()._take(free_credits)
