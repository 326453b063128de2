"""A scheduler as its clients see it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

from pykka import ActorDeadError

from fencepost.actors.backend import Backend
from fencepost.actors.entity import Entity
from fencepost.actors.entity_queue import EntityQueue
from fencepost.actors.job import FinishedFence
from fencepost.actors.messages import Fini
from fencepost.actors.scheduler_actor import SchedulerActor
from fencepost.policies import Priority, RunQueue
from fencepost.sync import current, deadline_ns

if TYPE_CHECKING:
    from fencepost.actors.runtime import Runtime

__all__ = ["Scheduler"]


class Scheduler:
    """One hardware queue and those who want it. Made by `Runtime.scheduler`.

    (kernel: drm_gpu_scheduler)

    Life cycle: *ready* -> *finished* (`fini`: cancels what is on the hardware).

    `_lost_lock` protects `lost_jobs`, and `lost` of the entities that are here; a leaf.

    Attributes:
        name: also the name of its ring in events and reports.
        backend: the hardware.
        credit_limit: how many credits may be on the hardware at a time.
        ready: whether entities may be placed here.
        load: a token for each entity that uses it, and for each job pushed to it and not complete. Many tasks count
            here for every job, and adding to and taking from a deque is the cheapest count that needs no lock.
        lost_jobs: armed jobs that never got to the actor, because they came too late or not at all.
    """

    actor_class: ClassVar[type[SchedulerActor]] = SchedulerActor
    """What its actor is; a subclass may differ in one step."""

    def __init__(
        self, runtime: Runtime, backend: Backend, name: str, run_queue: RunQueue[Any], credit_limit: int
    ) -> None:
        self.name = name
        self.backend = backend
        self.credit_limit = credit_limit
        self.ready = True
        self.load: deque[None] = deque()
        self.lost_jobs = 0
        self._lost_lock = current().lock()
        self._runtime = runtime
        backend.attach(runtime.world, name, runtime.events)
        self.actor = self.actor_class(runtime.dispatch, self, run_queue, runtime.events)

    @property
    def score(self) -> int:
        """What load balancing compares: entities that use it, plus jobs pushed to it and not complete. Any context."""
        return len(self.load)

    def entity(self, name: str | None = None, *, priority: Priority = Priority.NORMAL, client: str = "") -> Entity:
        """Make an entity that submits to this scheduler. Client context. See `Runtime.entity`."""
        return self._runtime.entity([self], name, priority=priority, client=client)

    def count_lost(self, queue: EntityQueue) -> None:
        """Count an armed job of an entity that ended without the actor. Any context."""
        with self._lost_lock:
            self.lost_jobs += 1
            queue.lost += 1

    def fini(self, timeout_s: float | None = None) -> bool:
        """Stop it: nothing more runs, and what is on the hardware is cancelled with -ECANCELED.

        Client context; idempotent. Its entities must have ended before. Blocks until what was on the hardware has
        signalled; False when `timeout_s` ran out first. Raises what the backend's `cancel_job` raises.
        (kernel: drm_sched_fini)
        """
        self.ready = False
        when_ns = deadline_ns(timeout_s)
        try:
            pending: tuple[FinishedFence, ...] = self.actor.actor_ref.ask(Fini(), block=True)
        except ActorDeadError:
            return True
        return all(fence.wait_until(when_ns) for fence in pending)

    def __repr__(self) -> str:
        return f"<Scheduler {self.name}>"
