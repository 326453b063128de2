"""What a driver does with a job that has had its time: how it answers, and what it may do in between."""

from __future__ import annotations

import enum
import errno
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from fencepost.actors.fault_log import FaultRecord
from fencepost.actors.procedure import Steps
from fencepost.policies import Health, Priority
from fencepost.policies.recovery import Action, Fate, PendingJob, Verdict
from fencepost.sync import current

if TYPE_CHECKING:
    from fencepost.actors.entity_queue import EntityQueue
    from fencepost.actors.job import Job
    from fencepost.actors.scheduler import Scheduler
    from fencepost.actors.timeout_handler import TimeoutHandler

__all__ = ["Device", "PartOfDevice", "Recoverable", "Recovery", "RecoveryRecord", "Status", "StatusSteps"]


class Status(enum.Enum):
    """How a recovery ended.

    (kernel: drm_gpu_sched_stat)
    """

    RESET = "reset"
    """The job hung; the hardware was recovered, and what the driver took off it has signalled."""

    NO_HANG = "no hang"
    """The job goes on, or is complete: nothing was changed, and it gets its full time again."""

    WEDGED = "wedged"
    """The hardware could not be recovered: the driver has ended all jobs, and the domain takes no more."""

    ENODEV = "device gone"
    """Nothing will run any more: all jobs end with -ENODEV."""


StatusSteps: TypeAlias = Steps[Status]


@dataclass(frozen=True, slots=True)
class RecoveryRecord:
    """A recovery that has ended.

    Attributes:
        scheduler: whose job it was.
        job: context and seqno of the finished fence of the job that was reported; None for an unplugged device.
        status: how it ended.
        begin_ns: when the handler took it up.
        end_ns: when the schedulers were told to go on.
    """

    scheduler: str
    job: tuple[int, int] | None
    status: Status
    begin_ns: int
    end_ns: int


class Device(Protocol):
    """What is recovered as a whole.

    Attributes:
        name: what its reset domain is called.
    """

    @property
    def name(self) -> str: ...


@runtime_checkable
class PartOfDevice(Protocol):
    """What a recoverable backend has to have besides, for its scheduler to share a reset domain with others.

    Attributes:
        recovered_with: schedulers whose backends name the same device share its domain, unless they are given another.
    """

    @property
    def recovered_with(self) -> Device: ...


@runtime_checkable
class Recoverable(Protocol):
    """What a backend has to have besides, for its scheduler to have a time-out.

    (kernel: timedout_job)
    """

    def timedout_job(self, job: Job, recovery: Recovery) -> Status | StatusSteps:
        """Deal with a job that has had its time.

        Called by the timeout handler while the job's scheduler is stopped: nobody runs, completes or frees its jobs
        meanwhile, but the hardware may still signal. The job had not signalled a moment ago. `cancel_job` may come at
        the same time, from a teardown.

        Whoever has to wait returns steps. Jobs that are lost must have their hardware fences signalled with an error,
        and not before the hardware has let go of them: the signal frees their memory.
        """
        ...


class Recovery:
    """What a driver may do during a recovery: to the scheduler of the job, and to others of the reset domain.

    For the code of `Recoverable.timedout_job` only, and only until that returns.

    Attributes:
        scheduler: whose job has had its time; it is stopped. None in a recovery that the driver asked for.
    """

    def __init__(self, handler: TimeoutHandler, scheduler: Scheduler | None = None) -> None:
        self.scheduler = scheduler
        self._handler = handler

    @property
    def schedulers(self) -> tuple[Scheduler, ...]:
        """All schedulers of the domain."""
        return self._handler.domain.schedulers

    def stop(self, schedulers: Iterable[Scheduler]) -> Steps[None]:
        """Stop more schedulers of the domain: `yield from recovery.stop(...)`. They start when the recovery ends.

        (kernel: drm_sched_stop)
        """
        return self._handler.stop_submission(schedulers)

    def pending(self) -> Mapping[Scheduler, tuple[Job, ...]]:
        """Return the jobs on the hardware, oldest first, of each scheduler that is stopped.

        (kernel: drm_sched_for_each_pending_job)
        """
        return self._handler.pending

    def blame(self, job: Job) -> bool:
        """Count a hang against a job; return whether that made its entity guilty, which is then banned.

        Jobs of the kernel are never to blame. (kernel: drm_sched_increase_karma)
        """
        if job.queue.priority is Priority.KERNEL:
            return False
        job.karma += 1
        if job.karma <= job.scheduler.hang_limit:
            return False
        self.ban(job.queue)
        return True

    def ban(self, queue: EntityQueue, error: int = -errno.ECANCELED, health: Health = Health.GUILTY) -> None:
        """Run nothing more of an entity: what is queued ends with `error`, and submissions are refused with it."""
        queue.ban(health, error)

    def wedge(self) -> None:
        """Give the device up: submissions to the domain are refused with -EIO from now on. Idempotent.

        The driver ends what is on the hardware, of all schedulers, and answers WEDGED.
        """
        self._handler.domain.wedge()

    # Verdicts of a recovery policy.

    def describe(self, job: Job, *, started: bool, complete: bool, interrupted: bool = False) -> PendingJob:
        """Put a job before a recovery policy; what the hardware knows of it is told by the driver."""
        queue = job.queue
        return PendingJob(
            vm=queue.vm,
            context=queue.context,
            started=started,
            complete=complete,
            interrupted=interrupted,
            idempotent=job.idempotent,
            kernel=queue.priority is Priority.KERNEL,
            requeues=job.requeues,
            karma=job.karma,
            hang_limit=job.scheduler.hang_limit,
        )

    def capture(self) -> None:
        """Take the snapshot of the domain, unless one is there.

        Once it is certain that something is wrong, before anything is changed, and where memory may be taken.
        """
        self._handler.domain.keep_snapshot(self._handler.pending)

    def pronounce(self, verdict: Verdict, jobs: Sequence[Job]) -> None:
        """Book a verdict on jobs: bans, blame, fault records. Before the driver carries it out on the hardware.

        Who sees the error of a fence finds the rest in place. It takes no memory but that of the records.
        """
        domain = self._handler.domain
        queues = {job.queue.context: job.queue for job in jobs}
        for vm, health in verdict.vms.items():
            domain.ban_vm(vm, health)
        for context, health in verdict.contexts.items():
            self.ban(queues[context], health=health)
        for job, fate in zip(jobs, verdict.fates, strict=True):
            if fate.action is not Action.LEAVE:
                _charge(job, fate)
                kernel = job.queue.priority is Priority.KERNEL
                domain.note_fate(_record(job, fate), fate, idempotent=job.idempotent or kernel)
        domain.note_verdict(verdict)


def _charge(job: Job, fate: Fate) -> None:
    job.karma += fate.blamed
    job.requeues += fate.action is Action.REQUEUE
    job.queue.hangs += fate.blamed
    job.queue.lost_jobs += 1


def _record(job: Job, fate: Fate) -> FaultRecord:
    queue, fence = job.queue, job.finished
    return FaultRecord(
        current().now_ns(),
        job.scheduler.name,
        queue.name,
        job.entity.client,
        queue.vm,
        (fence.context, fence.seqno),
        fate.error,
        queue.health,
    )
