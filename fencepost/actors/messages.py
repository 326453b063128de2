"""The messages between the actors: frozen, and each says who sends it to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fencepost.actors.entity_actor import EntityActor
    from fencepost.actors.entity_queue import EntityQueue
    from fencepost.actors.job import FinishedFence, Job
    from fencepost.actors.scheduler_actor import SchedulerActor
    from fencepost.fences import Fence
    from fencepost.sync import Gate

__all__ = [
    "Abandon",
    "Done",
    "Fini",
    "Kill",
    "Killed",
    "Push",
    "Queued",
    "Ready",
    "Recall",
    "Recalled",
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
