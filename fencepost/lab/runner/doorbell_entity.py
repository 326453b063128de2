"""An entity that writes its jobs into a user queue, in the thread of its client: no actor is on the way."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from functools import partial

from fencepost.actors import Entity, Job, Scheduler
from fencepost.actors.backend import engine_class_of
from fencepost.actors.job import NEW
from fencepost.events import EventRing
from fencepost.events.kinds import JOB_DONE, JOB_RUN
from fencepost.fences import Fence
from fencepost.hw.batch import granularity_ns
from fencepost.hw.user_queue import Packet, UserQueue
from fencepost.policies import Health
from fencepost.sync import World, current

__all__ = ["DoorbellEntity", "NoBackend", "Registrar"]

NS_PER_US = 1000


class NoBackend:
    """The backend of a scheduler to which nothing ever comes."""

    def attach(self, world: World, ring: str, events: EventRing | None) -> None:
        """Nothing is below it."""

    def run_job(self, job: Job) -> Fence | None:
        raise NotImplementedError(f"{job!r} came to a scheduler: jobs of user queues do not")

    def cancel_job(self, job: Job) -> None:
        raise NotImplementedError(f"{job!r} came to a scheduler: jobs of user queues do not")

    def free_job(self, job: Job) -> None:
        raise NotImplementedError(f"{job!r} came to a scheduler: jobs of user queues do not")


class Registrar(Scheduler):
    """What stands for a scheduler where there is none: it counts the jobs of user queues, and signals their fences.

    `_lost_lock` protects the counts, and what entities were charged for.
    """

    def note_run(self) -> None:
        """Count a job that is in a ring. Client context."""
        with self._lost_lock:
            self.actor.running += 1

    def note_done(self, job: Job, error: int, end_ns: int) -> None:
        """Count a job that is complete, have it paid for, and signal its finished fence. Any context."""
        actor, entity = self.actor, job.entity
        assert isinstance(entity, DoorbellEntity)
        with self._lost_lock:
            actor.running -= 1
            if error == 0:
                actor.completed += 1
            elif error == -errno.ECANCELED:
                actor.cancelled += 1
            else:
                actor.errored += 1
            job.queue.done += 1
            executed_ns = entity.to_be_paid_ns()
        if job.queue.client is not None:
            job.queue.client.charge(entity.engine_class, executed_ns)
        self.load.pop()
        events = self._runtime.events
        if events is not None:
            events.record((end_ns, JOB_DONE, self.name, job.queue.context, job.finished.seqno, error))
        job.end(error, end_ns)


class DoorbellEntity(Entity):
    """The jobs of one client context, as packets of one user queue.

    A job is handed over when it is pushed. What it depends on its packet waits for, in the ring. It is complete when
    the kernel fence of its packet signals, which brings its finished fence with it, in irq context.

    Its queue comes with `connect`, before the first job. Killing it destroys the queue: what is in there ends with
    -ECANCELED.
    """

    user_queue: UserQueue

    def connect(self, queue: UserQueue, preempt_us: int) -> None:
        """Use a queue, from the first job on. `preempt_us`: where its jobs can be preempted that do not say it."""
        self.user_queue = queue
        self.engine_class = engine_class_of(queue.mqd.identity.engines[0])
        self._preempt_us = preempt_us
        self._paid_ns = 0
        # Written and not yet announced: the kernel fence, or why there is none. Under the entity's lock.
        self._handed: dict[Job, Fence | int] = {}

    def submit(
        self,
        duration_us: float | None = None,
        *,
        deps: Iterable[Fence] = (),
        credits: int = 1,  # noqa: A002 - the domain's word
        work: object = None,
        idempotent: bool = False,
    ) -> Job:
        job = self.job(duration_us=duration_us, credits=credits, work=work, idempotent=idempotent)
        for fence in deps:
            job.add_dependency(fence)
        job.arm()
        job.push()
        return job

    def push(self, job: Job) -> None:
        super().push(job)
        with self._lock:
            handed = self._handed.pop(job)
        # Without the lock: these signal fences, and whoever waits for them may be quick.
        registrar = self._registrar(job)
        registrar.note_run()
        if isinstance(handed, int):
            job.scheduled.signal(0, job.start_ns)
            registrar.note_done(job, handed, current().now_ns())
            return
        job.finished.set_parent(handed)
        job.scheduled.signal(0, job.start_ns)
        done = partial(self._done, job)
        if not handed.add_callback(done):
            done(handed)

    def _hand_over_locked(self, job: Job) -> None:
        job.start_ns = current().now_ns()
        packet = Packet(
            duration_us=job.duration_us,
            preempt_us=granularity_ns(job.work, self._preempt_us) // NS_PER_US,
            # Those of its own queue are before it in the ring.
            waits=tuple(fence for fence in job.dependencies if fence.context != job.finished.context),
            protected=True,
            label=job.finished,
        )
        if self._record is not None:
            place = (job.scheduler.name, self.name, self.client, job.finished.context, job.finished.seqno)
            self._record((job.start_ns, JOB_RUN, *place, 0, 0))
        try:
            self._handed[job] = self.user_queue.fence(self.user_queue.submit(packet))
        except OSError as refusal:
            # It is armed: its fences must signal.
            self._handed[job] = -(refusal.errno or errno.EIO)

    def to_be_paid_ns(self) -> int:
        """Return how long its queue was executed that nobody has paid for, once. Under the lock of the registrar."""
        executed_ns = self.user_queue.mqd.executed_ns
        unpaid_ns, self._paid_ns = executed_ns - self._paid_ns, executed_ns
        return unpaid_ns

    def _done(self, job: Job, fence: Fence) -> None:
        self._registrar(job).note_done(job, fence.error, fence.timestamp_ns)

    def kill(self) -> None:
        super().kill()
        self.user_queue.destroy(at_once=True)

    def ban(self, health: Health, error: int) -> None:
        """Refuse jobs from now on, with an error. Any context; before those that are in the ring end."""
        self._queue.ban(health, error)

    def terminate(self, job: Job) -> None:
        """End a job. See `UserQueue.terminate`."""
        if job.state is not NEW and not job.finished.signaled:
            self.user_queue.terminate(job.finished.seqno)

    @staticmethod
    def _registrar(job: Job) -> Registrar:
        assert isinstance(job.scheduler, Registrar)
        return job.scheduler
