from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from fencepost.actors import Entity, Job, Runtime
from fencepost.errors import WrongState
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from tests.actors.kit import ScriptedBackend, hand_out


def entity_of(rt: Runtime) -> Entity:
    return rt.scheduler(MockBackend()).entity("game")


def armed(job: Job) -> Job:
    job.arm()
    return job


def push(job: Job) -> None:
    job.push()


def pushed(job: Job) -> Job:
    push(armed(job))
    return job


def depend(job: Job) -> None:
    job.add_dependency(Fence())


MISUSES: list[tuple[str, Callable[[Entity], object], str]] = [
    ("push before arm", lambda entity: push(entity.job()), "only an armed job can be pushed"),
    ("arm twice", lambda entity: armed(armed(entity.job())), "game:1> is armed already"),
    ("arm after push", lambda entity: armed(pushed(entity.job())), "game:1> is pushed already"),
    ("push twice", lambda entity: push(pushed(entity.job())), "game:1> is pushed: only an armed job"),
    (
        "dependency after arm",
        lambda entity: depend(armed(entity.job())),
        "game:1> is armed: dependencies must be added before the arm",
    ),
    (
        "push out of order",
        lambda entity: (armed(entity.job()), pushed(entity.job())),
        "game:2> is pushed before number 1, which was armed earlier",
    ),
]


@pytest.mark.parametrize(("_what", "misuse", "message"), MISUSES, ids=[each[0] for each in MISUSES])
def test_a_misused_job_is_refused_at_once(_what: str, misuse: Callable[[Entity], object], message: str) -> None:
    with Runtime("virtual") as rt:
        entity = entity_of(rt)
        with pytest.raises(WrongState, match=message):
            misuse(entity)


IMPOSSIBLE: list[tuple[str, Callable[[Entity], Job], str]] = [
    ("no credits", lambda entity: entity.job(credits=0), "a job of 0 credits for game, expected at least 1"),
    ("negative credits", lambda entity: entity.submit(credits=-1), "a job of -1 credits for game"),
    ("negative duration", lambda entity: entity.submit(-1), "a job of -1 us for game, expected 0 or more"),
    ("no number", lambda entity: entity.submit(math.nan), "a job of nan us for game"),
    ("endless", lambda entity: entity.job(duration_us=math.inf), "a job of inf us for game"),
]


@pytest.mark.parametrize(("_what", "job_of", "message"), IMPOSSIBLE, ids=[each[0] for each in IMPOSSIBLE])
def test_an_impossible_job_is_refused_at_once(_what: str, job_of: Callable[[Entity], Job], message: str) -> None:
    with Runtime("virtual") as rt:
        entity = entity_of(rt)
        with pytest.raises(ValueError, match=message):
            job_of(entity)
        assert entity.armed == 0


def test_a_job_out_of_order_can_be_pushed_when_its_turn_has_come() -> None:
    with Runtime("virtual") as rt:
        entity = entity_of(rt)
        first, second = armed(entity.job(duration_us=1)), armed(entity.job(duration_us=1))
        with pytest.raises(WrongState):
            second.push()
        first.push()
        second.push()
        assert second.finished.wait(1)


def test_of_two_dependencies_of_one_context_the_later_is_kept() -> None:
    with Runtime("virtual") as rt:
        entity = entity_of(rt)
        one, two = Fence(7, 1), Fence(7, 2)
        other = Fence()
        job = entity.job()
        for fence in (one, two, other, one, two):
            job.add_dependency(fence)
        assert job.dependencies == [two, other]


def test_scheduled_and_finished_fences_count_the_jobs_in_two_contexts() -> None:
    with Runtime("virtual") as rt:
        entity = entity_of(rt)
        jobs = [entity.submit(1) for _ in range(3)]
        assert [(job.scheduled.context, job.scheduled.seqno) for job in jobs] == [
            (entity.context, n) for n in (1, 2, 3)
        ]
        assert [(job.finished.context, job.finished.seqno) for job in jobs] == [
            (entity.context + 1, n) for n in (1, 2, 3)
        ]


class DeadlineFence(Fence):
    """Keeps the deadlines it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.deadlines: list[int] = []

    def set_deadline(self, when_ns: int) -> None:
        self.deadlines.append(when_ns)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [([], [7], [7]), ([9, 7, 8], [], [7]), ([7], [8, 5, 5], [7, 5])],
    ids=["after the run", "before the run", "only sooner ones"],
)
def test_the_hardware_fence_is_told_the_earliest_deadline(before: list[int], after: list[int], told: list[int]) -> None:
    with Runtime("virtual") as rt:
        entity = rt.scheduler(ScriptedBackend()).entity()
        hardware = DeadlineFence()
        job = entity.job(work=hand_out(hardware))
        job.arm()
        for when_ns in before:
            job.finished.set_deadline(when_ns)
        job.push()
        assert job.scheduled.wait(1)
        for when_ns in after:
            job.finished.set_deadline(when_ns)
        assert hardware.deadlines == told
        hardware.signal()
