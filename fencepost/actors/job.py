"""A job, and the two fences that tell of it."""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, Final

from fencepost.errors import WrongState
from fencepost.fences import Fence, is_later
from fencepost.sync import Lock, current
from fencepost.sync.observer import signalling

if TYPE_CHECKING:
    from fencepost.actors.entity import Entity
    from fencepost.actors.entity_queue import EntityQueue
    from fencepost.actors.resources import Resources
    from fencepost.actors.scheduler import Scheduler

__all__ = [
    "ARMED",
    "KEPT_BY_CLIENTS",
    "NEW",
    "PUSHED",
    "FinishedFence",
    "HardwareFence",
    "Job",
    "JobState",
    "ScheduledFence",
    "check_job",
]


class JobState(enum.IntEnum):
    """How far the client has brought a job: what comes after the push is told by its fences."""

    NEW = 0
    ARMED = 1
    PUSHED = 2


# Looking a member up in its class costs more than taking a lock, and each job does it six times.
NEW: Final = JobState.NEW
ARMED: Final = JobState.ARMED
PUSHED: Final = JobState.PUSHED

KEPT_BY_CLIENTS: Final = frozenset({"entity", "finished", "scheduled", "scheduler", "state"})
"""What a client may still ask of a job that its scheduler has freed. See `World.poison`."""


class ScheduledFence(Fence):
    """Signals when a job was given to the hardware, or never will be.

    Attributes:
        finished: the other fence of the job, until that signals (the two would keep each other alive).
    """

    __slots__ = ("finished",)

    finished: FinishedFence | None


class FinishedFence(Fence):
    """Signals when a job is complete, and knows what a dependant may wait for instead.

    Attributes:
        scheduler: the scheduler of the job.
        scheduled: signals when the job was given to the hardware.
        parent: the hardware fence; there when `scheduled` has signalled, unless the job never ran or was complete at
            once.
    """

    __slots__ = ("_deadline_ns", "parent", "scheduled", "scheduler")

    def __init__(
        self, scheduler: Scheduler, scheduled: ScheduledFence, context: int, seqno: int, *, name: str, lock: Lock
    ) -> None:
        super().__init__(context, seqno, name=name, lock=lock)
        self.scheduler = scheduler
        self.scheduled = scheduled
        self.parent: Fence | None = None
        self._deadline_ns: int | None = None

    def set_deadline(self, when_ns: int) -> None:
        """Keep the earliest deadline and hand it on to the hardware fence, now or when there is one."""
        with self._lock:
            sooner = self._deadline_ns is None or when_ns < self._deadline_ns
            if sooner:
                self._deadline_ns = when_ns
            parent = self.parent
        if sooner and parent is not None:
            parent.set_deadline(when_ns)

    def set_parent(self, parent: Fence) -> None:
        """Store the hardware fence, before `scheduled` tells anybody that there is one. Scheduler actor only."""
        with self._lock:
            self.parent = parent
            deadline_ns = self._deadline_ns
        # A deadline that comes from now on finds the parent itself; the one before is handed on here.
        if deadline_ns is not None:
            parent.set_deadline(deadline_ns)


class HardwareFence(Fence):
    """A hardware fence that tells how long the hardware was busy with the job.

    Attributes:
        executed_ns: so long, without what the job waited for others; None until the hardware signals it.
    """

    __slots__ = ("executed_ns",)

    def __init__(self, context: int, seqno: int, *, name: str) -> None:
        super().__init__(context, seqno, name=name)
        self.executed_ns: int | None = None


class Job:
    """A piece of work for the hardware.

    Life cycle: *new* -> *armed* (its fences exist and will signal, whatever happens) -> *pushed* -> given to the
    hardware (`scheduled` signals) -> complete (`finished` signals) -> freed. After the push it belongs to the actors;
    a client looks at its fences only.

    Attributes:
        entity: the entity it was made for.
        credits: how much of its scheduler's credit limit it takes while it is on the hardware.
        duration_us: how long the hardware takes, for backends that model time; None means until told.
        work: what else the backend wants to know.
        dependencies: fences it waits for, one a context.
        idempotent: whether it may be executed again when it was lost without its own fault.
        submit_ns: when it was pushed.
        start_ns: when it was handed to the hardware.
        karma: how often it was blamed for a hang.
        requeues: how often it was sent to run again.
        resources: what has given it things that it needs to run, or has it in a line for them; None for most jobs.
    """

    __slots__ = (
        "announced",
        "credits",
        "cursor",
        "dependencies",
        "duration_us",
        "entity",
        "finished",
        "idempotent",
        "karma",
        "queue",
        "requeues",
        "resources",
        "scheduled",
        "scheduler",
        "start_ns",
        "state",
        "submit_ns",
        "work",
    )

    # There from the arm on; reading one earlier raises AttributeError, which is a misuse.
    scheduled: ScheduledFence
    finished: FinishedFence
    scheduler: Scheduler

    def __init__(
        self,
        entity: Entity,
        queue: EntityQueue,
        duration_us: float | None,
        credit_count: int,
        work: object,
        *,
        idempotent: bool = False,
    ) -> None:
        self.entity = entity
        self.queue = queue
        self.credits = credit_count
        self.duration_us = duration_us
        self.work = work
        self.idempotent = idempotent
        self.dependencies: list[Fence] = []
        self.state: JobState = NEW
        self.submit_ns = 0
        self.start_ns = 0
        self.karma = self.requeues = 0
        self.resources: Resources | None = None
        self.cursor = 0  # the entity's actor: how many dependencies are resolved
        self.announced = False  # the scheduler's: whether it knows of the job already

    def add_dependency(self, fence: Fence) -> None:
        """Have the job wait for `fence`. Client context, before the arm.

        Of two fences of one context only the later is kept. Raises WrongState when armed.
        (kernel: drm_sched_job_add_dependency)
        """
        if self.state is not NEW:
            raise WrongState(f"{self!r} is {self.state.name.lower()}: dependencies must be added before the arm")
        for index, other in enumerate(self.dependencies):
            if other.context == fence.context:
                if other is not fence and is_later(fence, other):
                    self.dependencies[index] = fence
                return
        self.dependencies.append(fence)

    def arm(self) -> None:
        """Make its fences and fix its scheduler and its place; from here on it must be pushed. Client context.

        Raises WrongState when armed before, and the OSErrors of `Entity.submit`. (kernel: drm_sched_job_arm)
        """
        self.entity.arm(self)

    def push(self) -> None:
        """Hand it over. Client context.

        Raises WrongState unless it is armed and next in the order of arming. If the entity was killed since the arm
        the job does not run, and its fences signal with -ESRCH. (kernel: drm_sched_entity_push_job)
        """
        self.entity.push(self)

    def end(self, error: int, end_ns: int | None = None) -> bool:
        """Signal its finished fence, after the scheduled one; False when it had ended before. By its scheduler.

        What it holds comes back before: whoever wakes up by it finds that free.
        """
        if self.resources is not None:
            self.resources.release(self)
        scheduled = self.scheduled
        if error and not (self.queue.first_error or self.finished.signaled):
            self.queue.first_error = error
        try:
            if not scheduled.signaled:
                scheduled.signal()
        finally:
            first = self.finished.signal(error, end_ns)
            scheduled.finished = None
        return first

    def lose(self, error: int) -> None:
        """End it, and count it as lost unless it had ended. By who finds that no scheduler will; any context."""
        try:
            with signalling():
                first = self.end(error)
        except Exception as failure:  # noqa: BLE001 - a callback's: who ends many jobs must get to the last of them
            current().failures.append(failure)
            first = True
        if first:
            self.scheduler.count_lost(self.queue)

    def __repr__(self) -> str:
        seqno = self.finished.seqno if self.state is not NEW else "new"
        return f"<Job {self.entity.name}:{seqno}>"


def check_job(duration_us: float | None, credit_count: int, name: str) -> None:
    """Raise ValueError for a job that nobody could run."""
    if credit_count < 1:
        raise ValueError(f"a job of {credit_count} credits for {name}, expected at least 1")
    if duration_us is not None and not 0 <= duration_us < math.inf:
        raise ValueError(f"a job of {duration_us} us for {name}, expected 0 or more")
