"""The messages between the actors: frozen, and each says who sends it to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fencepost.actors.entity_actor import EntityActor
    from fencepost.actors.entity_queue import EntityQueue
    from fencepost.actors.job import FinishedFence, Job
    from fencepost.actors.procedure import Steps
    from fencepost.actors.recovery import Recovery, Status
    from fencepost.actors.scheduler_actor import SchedulerActor
    from fencepost.actors.stoppable import Stoppable
    from fencepost.actors.timeout_handler import TimeoutHandler
    from fencepost.fences import Fence
    from fencepost.sync import Gate

__all__ = [
    "Abandon",
    "Done",
    "Expired",
    "Fault",
    "Fini",
    "Kill",
    "Killed",
    "Push",
    "Queued",
    "Ready",
    "Recall",
    "Recalled",
    "Recover",
    "ResumeTimeout",
    "Send",
    "SetTimeout",
    "StartSubmission",
    "StopSubmission",
    "Stopped",
    "SuspendTimeout",
    "TimedOut",
    "Turn",
    "Unplug",
    "Wake",
]


@dataclass(frozen=True, slots=True)
class Push:
    """Client -> entity: a job, armed and complete."""

    job: Job


@dataclass(frozen=True, slots=True)
class Wake:
    """Fence callback -> entity: the fence it waits for has signalled."""


@dataclass(frozen=True, slots=True)
class Kill:
    """Client -> entity: run nothing more; `recalled` opens when nothing more will be handed to the hardware."""

    scheduler: SchedulerActor
    recalled: Gate


@dataclass(frozen=True, slots=True)
class Abandon:
    """Runtime -> entity: stop waiting for what the killed jobs depend on; nobody is left who could signal it."""


@dataclass(frozen=True, slots=True)
class Queued:
    """Entity -> scheduler: a job has come that waits for a dependency, or behind one that does."""

    job: Job


@dataclass(frozen=True, slots=True)
class Ready:
    """Entity -> scheduler: the next job of the entity can run."""

    job: Job


@dataclass(frozen=True, slots=True)
class Done:
    """Hardware fence callback -> scheduler: a job is complete."""

    job: Job
    parent: Fence


@dataclass(frozen=True, slots=True)
class Recall:
    """Entity -> scheduler: give back what has not run, and forget the entity."""

    queue: EntityQueue
    reply_to: EntityActor


@dataclass(frozen=True, slots=True)
class Recalled:
    """Scheduler -> entity: the jobs that could have run and did not, and the finished fence of the last that did."""

    jobs: tuple[Job, ...]
    last_run: FinishedFence | None


@dataclass(frozen=True, slots=True)
class Killed:
    """Entity -> scheduler: a job that will never run; all it depended on is complete."""

    job: Job


@dataclass(frozen=True, slots=True)
class Fini:
    """Client -> scheduler: take nothing more, cancel what is on the hardware. Answered by what will signal by that."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Scheduler -> itself: run the next job; between two jobs others get a word in."""


@dataclass(frozen=True, slots=True)
class Send:
    """Any -> scheduler: a message that its backend defines, to be processed in band. `first` puts it before others."""

    message: object
    first: bool = False


@dataclass(frozen=True, slots=True)
class Expired:
    """Timer -> scheduler: the oldest job may have had its time."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Any -> scheduler: do not wait for the time-out, there is something wrong now."""


@dataclass(frozen=True, slots=True)
class SetTimeout:
    """Client -> scheduler: how long a job may take, from now on; the time of the oldest begins anew."""

    timeout_s: float | None


@dataclass(frozen=True, slots=True)
class SuspendTimeout:
    """Client -> scheduler: do not measure. Answered by how many seconds were left."""


@dataclass(frozen=True, slots=True)
class ResumeTimeout:
    """Client -> scheduler: measure again, with so many seconds left for the oldest job."""

    left_s: float | None


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Scheduler -> timeout handler: this job, its oldest, has had its time, or a fault was reported."""

    scheduler: Stoppable
    job: Job


@dataclass(frozen=True, slots=True)
class Recover:
    """Driver -> timeout handler: a recovery of the device that no job was reported for."""

    steps: Callable[[Recovery], Steps[Status]]


@dataclass(frozen=True, slots=True)
class Unplug:
    """Client -> timeout handler: the device is gone."""


@dataclass(frozen=True, slots=True)
class StopSubmission:
    """Timeout handler -> scheduler: run, complete, free and process nothing until `StartSubmission`."""

    reply_to: TimeoutHandler


@dataclass(frozen=True, slots=True)
class Stopped:
    """Scheduler -> timeout handler: the jobs on the hardware, oldest first. They are the handler's until the start.

    `stop` is what it answers: it may come when that stop is long over.
    """

    scheduler: Stoppable
    pending: tuple[Job, ...]
    stop: StopSubmission


@dataclass(frozen=True, slots=True)
class StartSubmission:
    """Timeout handler -> scheduler: go on, after a recovery that ended so. ENODEV is for good, stopped or not."""

    status: Status
