"""A scheduler as its clients see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fencepost.actors.backend import Backend
from fencepost.actors.entity import Entity
from fencepost.actors.messages import Fini
from fencepost.actors.scheduler_actor import SchedulerActor
from fencepost.policies import Priority, RunQueue
from fencepost.sync import current

if TYPE_CHECKING:
    from fencepost.actors.runtime import Runtime

__all__ = ["Scheduler"]


class Scheduler:
    """One hardware queue and those who want it. Made by `Runtime.scheduler`.

    (kernel: drm_gpu_scheduler)

    Life cycle: *ready* -> *finished* (`fini`: cancels what is on the hardware).

    `_score_lock` protects the score and `lost_jobs`; a leaf.

    Attributes:
        name: also the name of its ring in events and reports.
        backend: the hardware.
        credit_limit: how many credits may be on the hardware at a time.
        ready: whether entities may be placed here.
        score: entities that use it plus jobs pushed to it and not complete; what load balancing compares.
        lost_jobs: armed jobs that never got to the actor, because they came too late or not at all.
    """

    def __init__(self, runtime: Runtime, backend: Backend, name: str, run_queue: RunQueue, credit_limit: int) -> None:
        self.name = name
        self.backend = backend
        self.credit_limit = credit_limit
        self.ready = True
        self.score = 0
        self.lost_jobs = 0
        self._score_lock = current().lock()
        self._runtime = runtime
        backend.attach(runtime.world, name, runtime.events)
        self.actor = SchedulerActor(runtime.dispatch, self, run_queue, runtime.events)

    def entity(self, name: str | None = None, *, priority: Priority = Priority.NORMAL, client: str = "") -> Entity:
        """Make an entity that submits to this scheduler. Client context. See `Runtime.entity`."""
        return self._runtime.entity([self], name, priority=priority, client=client)

    def add_score(self, change: int) -> None:
        """Move the score. Any context."""
        lock = self._score_lock
        lock.acquire()
        self.score += change
        lock.release()

    def count_lost(self) -> None:
        """Count an armed job that ended without the actor. Any context."""
        with self._score_lock:
            self.lost_jobs += 1

    def fini(self) -> None:
        """Stop it: nothing more runs, and what is on the hardware is cancelled with -ECANCELED.

        Client context; idempotent. Its entities must have ended before. (kernel: drm_sched_fini)
        """
        self.ready = False
        if self.actor.actor_ref.is_alive():
            self.actor.actor_ref.ask(Fini())

    def __repr__(self) -> str:
        return f"<Scheduler {self.name}>"
