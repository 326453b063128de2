"""A scheduler as its clients see it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, ClassVar

from pykka import ActorDeadError

from fencepost.actors.backend import Backend, JobChecker, MessageProcessor, OfEngine, Preparer, engine_class_of
from fencepost.actors.cgroups.group_scheduler import GroupSchedulerActor
from fencepost.actors.entity import Entity
from fencepost.actors.entity_queue import EntityQueue
from fencepost.actors.hang_timer import check_timeout
from fencepost.actors.job import FinishedFence
from fencepost.actors.messages import Fault, Fini, ResumeTimeout, Send, SetTimeout, SuspendTimeout
from fencepost.actors.reset_domain import ResetDomain
from fencepost.actors.scheduler_actor import SchedulerActor
from fencepost.actors.static_message import StaticMessage
from fencepost.errors import BadInput, WrongState
from fencepost.policies import Priority, RunOrder, SingleEntity
from fencepost.policies.cgroups.hweight import HierarchicalWeight
from fencepost.sync import current, deadline_ns
from fencepost.sync.tracking import tracked

if TYPE_CHECKING:
    from fencepost.actors.runtime import Runtime

__all__ = ["Scheduler", "check_limits"]


@tracked("lost_jobs")
class Scheduler:
    """One hardware queue and those who want it. Made by `Runtime.scheduler`.

    (kernel: drm_gpu_scheduler)

    Life cycle: *ready* -> *finished* (`fini`: cancels what is on the hardware).

    `_lost_lock` protects `lost_jobs`, `lost` of the entities that are here, and `_owner`; a leaf.

    Attributes:
        name: also the name of its ring in events and reports.
        backend: the hardware.
        credit_limit: how many credits may be on the hardware at a time.
        timeout_s: how long a job may be the oldest on the hardware; None is for ever.
        domain: whose timeout handler deals with its hangs, or None.
        hang_limit: how many hangs of a job are forgiven before its entity is guilty.
        ready: whether entities may be placed here.
        load: a token for each entity that uses it, and for each job pushed to it and not complete. Many tasks count
            here for every job, and adding to and taking from a deque is the cheapest count that needs no lock.
        engine_class: what its hardware is one of, such as `rcs`; usage is counted by it.
        prepare_job, check_job: of its backend, None where that has none.
        lost_jobs: armed jobs that never got to the actor, because they came too late or not at all.
    """

    actor_class: ClassVar[type[SchedulerActor]] = SchedulerActor
    """What its actor is; a subclass may differ in one step."""

    group_actor_class: ClassVar[type[GroupSchedulerActor]] = GroupSchedulerActor
    """The same for one whose run queue knows control groups."""

    def __init__(
        self,
        runtime: Runtime,
        backend: Backend,
        name: str,
        run_queue: RunOrder[EntityQueue],
        *,
        credit_limit: int,
        timeout_s: float | None,
        domain: ResetDomain | None,
        hang_limit: int = 0,
    ) -> None:
        self.name = name
        self.backend = backend
        self.credit_limit = credit_limit
        self.timeout_s = timeout_s
        self.domain = domain
        self.hang_limit = hang_limit
        self.ready = True
        self.load: deque[None] = deque()
        self.lost_jobs = 0
        self._lost_lock = current().lock()
        # Whose it is alone, once somebody has come, under the single-entity policy.
        self._for_one = isinstance(run_queue, SingleEntity)
        self._owner: Entity | None = None
        self._runtime = runtime
        backend.attach(runtime.world, name, runtime.events)
        self.prepare_job = backend.prepare_job if isinstance(backend, Preparer) else None
        self.check_job = backend.check_job if isinstance(backend, JobChecker) else None
        self.engine_class = backend.engine_class if isinstance(backend, OfEngine) else engine_class_of(name)
        actor_class = self.group_actor_class if isinstance(run_queue, HierarchicalWeight) else self.actor_class
        self.actor = actor_class(runtime.dispatch, self, run_queue, runtime.events)

    @property
    def score(self) -> int:
        """What load balancing compares: entities that use it, plus jobs pushed to it and not complete. Any context."""
        return len(self.load)

    def entity(
        self,
        name: str | None = None,
        *,
        priority: Priority = Priority.NORMAL,
        client: str = "",
        vm: str | None = None,
    ) -> Entity:
        """Make an entity that submits to this scheduler. Client context. See `Runtime.entity`."""
        return self._runtime.entity([self], name, priority=priority, client=client, vm=vm)

    def admit(self, entity: Entity) -> None:
        """Let an entity have its jobs here. By the entity, when it is made and when its schedulers change.

        Raises WrongState when the scheduler is for one entity, for life, and that is another.
        """
        if not self._for_one:
            return
        with self._lost_lock:
            owner = self._owner = self._owner or entity
        if owner is not entity:
            raise WrongState(f"{self.name} is for one entity, {owner.name}: {entity.name} needs a scheduler of its own")

    def count_lost(self, queue: EntityQueue) -> None:
        """Count an armed job of an entity that ended without the actor. Any context."""
        with self._lost_lock:
            self.lost_jobs += 1
            queue.lost += 1

    def send(self, message: object, *, first: bool = False) -> bool:
        """Have the backend process a message, in band with the jobs. Never blocks; any context.

        Messages are processed in the order they were sent, also before jobs that were pushed earlier and wait for
        something. While the scheduler is stopped they are kept.

        Args:
            message: what the backend defines. A `StaticMessage` that is on its way already is not sent twice.
            first: before all others that are on their way.

        Returns:
            False when it was not sent because it is on its way.

        Raises:
            TypeError: the backend takes no messages.
        """
        if not isinstance(self.backend, MessageProcessor):
            raise TypeError(f"{self.backend!r} of {self.name} has no process_message: it cannot be sent {message!r}")
        if isinstance(message, StaticMessage) and not message.try_queue():
            return False
        self.actor.post(Send(message, first))
        return True

    def fault(self) -> None:
        """Report the oldest job on the hardware at once, as if its time were up. Never blocks; any context.

        Nothing happens when there is none, or without a reset domain. (kernel: drm_sched_fault)
        """
        self.actor.post(Fault())

    def set_timeout(self, timeout_s: float | None) -> None:
        """Change how long a job may take; the time of the oldest begins anew. Never blocks; any context.

        0 sends whatever is on the hardware, and all that comes, to the timeout handler at once.

        Raises:
            BadInput: negative, not a number, or more than a day.
            WrongState: it has no reset domain.
        """
        check_timeout(timeout_s)
        self._check_domain()
        self.timeout_s = timeout_s
        self.actor.post(SetTimeout(timeout_s))

    def suspend_timeout(self) -> float | None:
        """Measure no time until `resume_timeout`; returns how many seconds were left. Client context; blocks.

        Jobs that come meanwhile are not timed either. None is for ever, also when the scheduler has ended. Raises
        WrongState without a reset domain. (kernel: drm_sched_suspend_timeout)
        """
        self._check_domain()
        try:
            left_s: float | None = self.actor.actor_ref.ask(SuspendTimeout(), block=True)
        except ActorDeadError:
            return None
        return left_s

    def resume_timeout(self, left_s: float | None) -> None:
        """Measure time again, and give the oldest job `left_s`. Never blocks; any context.

        Raises as `set_timeout`. (kernel: drm_sched_resume_timeout)
        """
        check_timeout(left_s, "left_s")
        self._check_domain()
        self.actor.post(ResumeTimeout(left_s))

    def _check_domain(self) -> None:
        if self.domain is None:
            raise WrongState(f"{self.name} has no reset domain: give it a time-out or a domain when it is made")

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


def check_limits(credit_limit: int, hang_limit: int, timeout_s: float | None) -> None:
    """Raise BadInput for what no scheduler can be made with."""
    if credit_limit < 1:
        raise BadInput("credit_limit", str(credit_limit), "at least 1")
    if hang_limit < 0:
        raise BadInput("hang_limit", str(hang_limit), "0 or more")
    check_timeout(timeout_s)
