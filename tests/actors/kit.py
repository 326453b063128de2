"""What the tests of the actors share: ways to run, a backend that does as its jobs say, actors brought to rest."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, cast

import pytest
from pykka.messages import ProxyGetAttr

from fencepost.actors import Actor, Entity, Job, Runtime, Scheduler
from fencepost.actors.dispatch import WorkQueueDispatch
from fencepost.events import EventRing
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.sync import World

__all__ = [
    "EVERYWHERE",
    "LIMIT_S",
    "NATIVELY",
    "VIRTUALLY",
    "WORKERS",
    "ScriptedBackend",
    "Way",
    "adds_up",
    "carried_by",
    "done_at_once",
    "finished",
    "hand_out",
    "refuse",
    "settle",
]

LIMIT_S = 10.0
"""How long a test waits for what must happen soon; only a failing one waits so long."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run the actors."""

    world: Literal["native", "virtual"]
    dispatch: Literal["thread", "workqueue"]
    workers: int = 1

    def runtime(self, *, events: bool | int | None = True) -> Runtime:
        return Runtime(self.world, self.dispatch, workers=self.workers, events=events)

    def __str__(self) -> str:
        return f"{self.world}-{self.dispatch}{self.workers if self.workers > 1 else ''}"


VIRTUAL_WAYS = [Way("virtual", "thread"), Way("virtual", "workqueue")]
NATIVE_WAYS = [Way("native", "thread"), Way("native", "workqueue"), Way("native", "workqueue", 3)]

VIRTUALLY = pytest.mark.parametrize("way", VIRTUAL_WAYS, ids=str)
NATIVELY = pytest.mark.parametrize("way", NATIVE_WAYS, ids=str)
EVERYWHERE = pytest.mark.parametrize("way", [*VIRTUAL_WAYS, *NATIVE_WAYS], ids=str)
WORKERS = pytest.mark.parametrize("workers", [0, 1, 2], ids=["thread", "workqueue1", "workqueue2"])


class ScriptedBackend:
    """A mock device that keeps what it was told; a job whose work is a function gets what that returns or raises."""

    def __init__(self) -> None:
        self.device = MockBackend()
        self.ran: list[Job] = []
        self.freed: list[Job] = []
        self.cancelled: list[Job] = []

    def attach(self, world: World, ring: str, events: EventRing | None) -> None:
        self.device.attach(world, ring, events)

    def run_job(self, job: Job) -> Fence | None:
        self.ran.append(job)
        return cast("Fence | None", job.work(job)) if callable(job.work) else self.device.run_job(job)

    def cancel_job(self, job: Job) -> None:
        self.cancelled.append(job)
        self.device.cancel_job(job)
        parent = job.finished.parent
        if parent is not None:
            parent.signal(-errno.ECANCELED)

    def free_job(self, job: Job) -> None:
        self.freed.append(job)

    def advance(self, count: int = 1) -> int:
        return self.device.advance(count)


def refuse(error: BaseException) -> Callable[[Job], Fence | None]:
    """Give a job's work that the backend refuses."""

    def work(_job: Job) -> Fence | None:
        raise error

    return work


def hand_out(fence: Fence) -> Callable[[Job], Fence | None]:
    """Give a job's work whose hardware fence is this one."""

    def work(_job: Job) -> Fence | None:
        return fence

    return work


def done_at_once(_job: Job) -> Fence | None:
    """Be a job's work that is complete when it is handed over, so that there is no hardware fence."""
    return None


def settle(*users: Entity | Scheduler) -> None:
    """Block until these actors have handled everything, also what they said to each other meanwhile."""
    for _ in range(2 * len(users)):
        for user in users:
            ask_name(user.actor)


def ask_name(actor: Actor) -> Any:  # noqa: ANN401 - as in pykka
    """Ask an actor for its name, the least that it can be asked."""
    return actor.actor_ref.ask(ProxyGetAttr(("name",)), timeout=LIMIT_S)


def finished(jobs: Iterable[Job]) -> bool:
    """Wait for all of these jobs, which are expected to finish."""
    return all(job.finished.wait(LIMIT_S) for job in jobs)


def adds_up(runtime: Runtime) -> bool:
    """Say whether every armed job of a runtime that was left is accounted for, and all its fences have signalled."""
    counts = runtime.statistics()
    ended = counts.jobs_completed + counts.jobs_errored + counts.jobs_cancelled
    return counts.jobs_submitted == ended and counts.fences_armed == counts.fences_signaled == 2 * ended


def carried_by(rt: Runtime, workers: int) -> None:
    """Have what is made in a runtime from now on carried by so many workers, if there are any."""
    if workers:
        rt.dispatch = WorkQueueDispatch(rt.world, workers)
