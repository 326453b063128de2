"""An entity as its client sees it: where jobs are made, armed and pushed."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from fencepost.actors.entity_actor import EntityActor
from fencepost.actors.entity_queue import KEPT_OF_DESTROYED, EntityQueue
from fencepost.actors.job import ARMED, NEW, PUSHED, FinishedFence, Job, ScheduledFence, check_job
from fencepost.actors.messages import Kill, Push
from fencepost.actors.statistics import EntityStatus
from fencepost.errors import WrongState
from fencepost.events.kinds import JOB_ADD_DEP, JOB_QUEUE, PRIORITY_SET, QUEUE_IDLE
from fencepost.fences import Fence, context_alloc, promise
from fencepost.policies import Priority, least_loaded
from fencepost.sync import Gate, current, deadline_ns
from fencepost.sync.tracking import tracked

if TYPE_CHECKING:
    from fencepost.actors.cgroups.client import Client
    from fencepost.actors.reset_domain import ResetDomain
    from fencepost.actors.runtime import Runtime
    from fencepost.actors.scheduler import Scheduler

__all__ = ["Entity"]


@tracked("_pushed", "_scheduler", "_attached")
class Entity:
    """The jobs of one client context, run in the order of their push. Made by `Scheduler.entity` or `Runtime.entity`.

    Life cycle: *alive* -> *killed* (queued jobs end with -ESRCH) -> *finished* (`fini`: its actor is gone). All methods
    are client context; any number of threads may use an entity.

    `_lock` protects the order of jobs (arm and push), the schedulers, the score attachment and the killed flag. Taken
    before fence locks and a scheduler's score lock.

    Attributes:
        name: what reports call it.
        client: whom it works for, in events and statistics.
        context: fence context of the scheduled fences; the finished fences have the next one.
        armed: how many jobs were armed.
    """

    actor_class: ClassVar[type[EntityActor]] = EntityActor
    """What its actor is; a subclass may differ in one step."""

    gate_class: ClassVar[type[Gate]] = Gate
    """Where those who kill it wait for its recall; likewise."""

    def __init__(
        self,
        runtime: Runtime,
        schedulers: Sequence[Scheduler],
        name: str,
        priority: Priority,
        client: str,
        *,
        vm: str | None = None,
    ) -> None:
        world = current()
        self.name = name
        self.client = client
        self.context = context_alloc(2)
        self.armed = 0
        self._pushed = 0
        self._runtime = runtime
        self._lock = world.lock()
        self._new_lock, self._now_ns = world.lock, world.now_ns
        self._observed = world.observed is not None  # where nobody watches, no job costs more for it
        self._record = None if runtime.events is None else runtime.events.record
        self._queue = EntityQueue(name, priority, self.context + 1, vm or client or name)
        self._domains: dict[ResetDomain, int] = {}
        self._set_schedulers_locked(schedulers)
        self._scheduler = schedulers[0]
        self._attached: Scheduler | None = None
        self._last_armed: FinishedFence | None = None
        self._last_pushed: FinishedFence | None = None
        self._unpushed: dict[int, Job] = {}
        # Opens when nothing more will be handed to the hardware; there from the kill on.
        self._recalled: Gate | None = None
        self.actor = self.actor_class(runtime.dispatch, self._queue, runtime.events)

    # Submission.

    def job(
        self,
        *,
        duration_us: float | None = None,
        credits: int = 1,  # noqa: A002 - the domain's word
        work: object = None,
        idempotent: bool = False,
    ) -> Job:
        """Make a job, to which dependencies can be added before it is armed and pushed. See `submit`."""
        check_job(duration_us, credits, self.name)
        return Job(self, self._queue, duration_us, credits, work, idempotent=idempotent)

    def submit(
        self,
        duration_us: float | None = None,
        *,
        deps: Iterable[Fence] = (),
        credits: int = 1,  # noqa: A002
        work: object = None,
        idempotent: bool = False,
    ) -> Job:
        """Make a job, arm it and push it, in one step.

        Args:
            duration_us: how long the hardware takes; None means until told.
            deps: fences it waits for.
            credits: how much of the credit limit it takes; more than the limit is cut to it, so that it runs alone.
            work: what else the backend wants to know.
            idempotent: it may be executed again, when a recovery has lost it and it was not to blame.

        Raises:
            ValueError: for fewer than 1 credit or a negative duration.
            WrongState: an armed job is still to be pushed.
            OSError: ECANCELED when the entity was killed or banned, EIO when its device is wedged, ENODEV when none of
                its schedulers takes jobs, EINVAL when its backend finds that this one could never run.
        """
        if duration_us is not None or credits != 1:
            check_job(duration_us, credits, self.name)
        job = Job(self, self._queue, duration_us, credits, work, idempotent=idempotent)
        for fence in deps:
            job.add_dependency(fence)
        with self._lock:
            if self._unpushed:
                raise WrongState(f"{next(iter(self._unpushed.values()))!r} was armed and must be pushed before another")
            self._arm_locked(job)
            self._push_locked(job)
        return job

    def arm(self, job: Job) -> None:
        """See `Job.arm`."""
        with self._lock:
            self._arm_locked(job)
            self._unpushed[self.armed] = job

    def push(self, job: Job) -> None:
        """See `Job.push`."""
        with self._lock:
            self._push_locked(job)
            del self._unpushed[self._pushed]

    def _arm_locked(self, job: Job) -> None:
        if job.state is not NEW:
            raise WrongState(f"{job!r} is {job.state.name.lower()} already")
        if self._recalled is not None:
            raise OSError(errno.ECANCELED, f"{self.name} was killed: it takes no more jobs")
        if self._queue.ban_error:
            raise OSError(-self._queue.ban_error, f"{self.name} was banned in a recovery: it takes no more jobs")
        scheduler = self._scheduler
        if scheduler is not self._only_scheduler or not scheduler.ready:
            scheduler = self._scheduler = self._choose_locked()
        if scheduler.check_job is not None:
            scheduler.check_job(job)
        job.credits = min(job.credits, scheduler.credit_limit)
        job.scheduler = scheduler
        self.armed = seqno = self.armed + 1
        lock = self._new_lock()
        job.scheduled = scheduled = ScheduledFence(self.context, seqno, name=self.name, lock=lock)
        job.finished = finished = FinishedFence(
            scheduler, scheduled, self.context + 1, seqno, name=self.name, lock=lock
        )
        scheduled.finished = finished
        job.state = ARMED
        self._last_armed = finished
        if self._observed and job.dependencies:
            promise(finished, after=job.dependencies)

    def _choose_locked(self) -> Scheduler:
        """Place the entity: on the least loaded scheduler, but only when no job of it is under way.

        (kernel: drm_sched_entity_select_rq)
        """
        if self._busy_locked():
            return self._scheduler
        schedulers = self._schedulers
        index = least_loaded((scheduler.score, scheduler.ready) for scheduler in schedulers)
        if index is None:
            raise OSError(errno.ENODEV, f"none of the {len(schedulers)} schedulers of {self.name} takes jobs")
        return schedulers[index]

    def _busy_locked(self) -> bool:
        """Say whether a job of it is under way, from the arm on.

        The last job may be done before an earlier one, when the backend refused it.
        """
        last = self._last_armed
        # A count that is read too early is too low, and the entity stays where it is: that is always right.
        return last is not None and (not last.signaled or self._queue.done + self._queue.lost != self.armed)

    def _push_locked(self, job: Job) -> None:
        if job.state is not ARMED:
            raise WrongState(f"{job!r} is {job.state.name.lower()}: only an armed job can be pushed, once")
        seqno = job.finished.seqno
        if seqno != self._pushed + 1:
            raise WrongState(f"{job!r} is pushed before number {self._pushed + 1}, which was armed earlier")
        self._pushed = seqno
        self._last_pushed = job.finished
        job.state = PUSHED
        job.submit_ns = self._now_ns()
        scheduler = job.scheduler
        scheduler.load.append(None)
        if self._attached is not scheduler and self._recalled is None:
            self._attach_locked(scheduler)
        if self._record is not None:
            self._record_push(job)
        self._hand_over_locked(job)

    def _hand_over_locked(self, job: Job) -> None:
        self.actor.post(Push(job))

    def _attach_locked(self, scheduler: Scheduler) -> None:
        """Count the entity in the scheduler's score, and no more in that of the one before."""
        if self._attached is not None:
            self._attached.load.pop()
        self._attached = scheduler
        scheduler.load.append(None)

    def _record_push(self, job: Job) -> None:
        assert self._record is not None
        scheduler, now_ns, context, seqno = job.scheduler, job.submit_ns, self._queue.context, job.finished.seqno
        last_run = self._queue.last_run
        ahead = seqno - 1 - (0 if last_run is None else last_run.seqno)
        place = (scheduler.name, self.name, self.client, context, seqno)
        self._record((now_ns, JOB_QUEUE, *place, ahead, scheduler.actor.credits_in_use))
        for other in job.dependencies:
            self._record((now_ns, JOB_ADD_DEP, context, seqno, other.context, other.seqno))

    # Control.

    @property
    def priority(self) -> Priority:
        """How important it is."""
        return self._queue.priority

    def set_priority(self, priority: Priority) -> None:
        """Change how important it is, from its next place in the run queue on."""
        # Not by a message: after a move, one to the former scheduler could come after one to the new. The scheduler
        # reads it without the lock, which is as good as having read it a little earlier or later.
        with self._lock:
            self._queue.priority = priority
            if self._record is not None:
                self._record((self._now_ns(), PRIORITY_SET, self.name, priority.name))

    @property
    def scheduler(self) -> Scheduler:
        """Where its last job went, or the next one will go."""
        return self._scheduler

    @property
    def schedulers(self) -> tuple[Scheduler, ...]:
        """Where its jobs may go."""
        return self._schedulers

    def modify_schedulers(self, schedulers: Sequence[Scheduler]) -> None:
        """Change where its jobs may go. It moves at the next arm that finds no job of it under way.

        Raises ValueError for an empty list. (kernel: drm_sched_entity_modify_sched)
        """
        if not schedulers:
            raise ValueError(f"no schedulers for {self.name}, expected at least one")
        with self._lock:
            self._set_schedulers_locked(schedulers)

    def _set_schedulers_locked(self, schedulers: Sequence[Scheduler]) -> None:
        for scheduler in schedulers:
            scheduler.admit(self)
        self._schedulers = tuple(schedulers)
        self._only_scheduler = schedulers[0] if len(schedulers) == 1 else None
        for domain in dict.fromkeys(scheduler.domain for scheduler in schedulers):
            if domain is not None and domain not in self._domains:
                # Replaced, not changed: others go through it without the lock.
                self._domains = {**self._domains, domain: domain.resets}
                domain.admit(self._queue)

    def belong_to(self, client: Client) -> EntityQueue:
        """Have a client pay for its jobs, before the first; returns what its schedulers know of it. By the client."""
        self._queue.client = client
        return self._queue

    @property
    def killed(self) -> bool:
        """True once it was killed."""
        return self._recalled is not None

    @property
    def banned(self) -> bool:
        """True once it was banned: a recovery has found it guilty of a hang, or has lost jobs of it."""
        return self._queue.ban_error != 0

    @property
    def vm(self) -> str:
        """The name of its address space."""
        return self._queue.vm

    def status(self) -> EntityStatus:
        """Tell what the recoveries of its device have done to it. Any context."""
        return self._queue.status(sum(domain.resets - before for domain, before in self._domains.items()))

    @property
    def error(self) -> int:
        """The error of the last job that was armed, 0 while that is under way.

        (kernel: drm_sched_entity_error)
        """
        last = self._last_armed
        return 0 if last is None else last.error

    def flush(self, timeout_s: float | None = None) -> bool:
        """Block until every pushed job was handed to the hardware or killed; False when `timeout_s` ran out first."""
        when_ns = deadline_ns(timeout_s)
        last = self._last_pushed
        return last is None or last.scheduled.wait_until(when_ns)

    def wait_idle(self, timeout_s: float | None = None) -> bool:
        """Block until every job pushed so far is complete; False when `timeout_s` ran out first.

        When it returns True, each of them was executed to its end without an error, and once, unless it is idempotent.

        Raises:
            OSError: a job of it has failed, with the errno of the first.
        """
        last = self._last_pushed
        if last is None:
            return True
        if not last.wait(timeout_s):
            return False
        error = self._queue.first_error
        if self._record is not None:
            self._record((self._now_ns(), QUEUE_IDLE, self.name, last.context, last.seqno, error))
        if error:
            raise OSError(-error, f"{self.name} has lost jobs")
        return True

    def kill(self) -> None:
        """Run nothing more. Blocks until nothing more will be handed to the hardware; idempotent.

        Jobs that are queued end with -ESRCH, in order, each after all it depends on; jobs on the hardware go on.
        (kernel: drm_sched_entity_kill)
        """
        with self._lock:
            recalled = self._recalled
            if first := recalled is None:
                recalled = self._recalled = self.gate_class(f"the recall of {self.name}'s jobs")
                if self._attached is not None:
                    self._attached.load.pop()
        if first:
            self.actor.post(Kill(self._scheduler.actor, recalled))
        recalled.wait()

    def fini(self, timeout_s: float | None = None) -> bool:
        """Kill it and end its actor. Idempotent.

        Blocks until its last job has signalled, since the actor must see the killed ones to their end. False when
        `timeout_s` ran out first: the actor goes on. Jobs that were armed and never pushed end with -ECANCELED.
        (kernel: drm_sched_entity_fini)
        """
        when_ns = deadline_ns(timeout_s)
        self.kill()
        self.end_unpushed()
        if not self.ended_by(when_ns):
            return False
        for domain in self._domains:
            domain.dismiss(self._queue)
        if self._queue.client is not None:
            self._queue.client.drop(self)
        orderly = self.actor.actor_ref.is_alive()
        poison = current().poison if self._runtime.forget(self) else None
        # A scheduler may still have it: the last job may be done before another one, and an actor be stopped by hand.
        if poison is not None and orderly and self._queue.queue is None and not self._busy_locked():
            poison(self._queue, KEPT_OF_DESTROYED)
        return True

    def ended_by(self, when_ns: int | None) -> bool:
        """Block until its last pushed job has signalled; False when the world's clock reached `when_ns` first."""
        last = self._last_pushed
        return last is None or last.wait_until(when_ns)

    def end_unpushed(self) -> int:
        """End the jobs that were armed and not pushed, once it was killed; return how many. By who tears it down."""
        with self._lock:
            unpushed, self._unpushed = self._unpushed, {}
            for job in unpushed.values():
                job.state = PUSHED
        for job in unpushed.values():
            job.lose(-errno.ECANCELED)
        return len(unpushed)

    def destroy(self, flush_s: float = 1.0) -> bool:
        """Give its jobs `flush_s` to get to the hardware, then end it. See `flush`, `fini`."""
        self.flush(flush_s)
        return self.fini()

    def __repr__(self) -> str:
        return f"<Entity {self.name}{' killed' if self.killed else ''}>"
