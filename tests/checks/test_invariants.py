"""Each invariant notices what breaks it, and real runs break none."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from fencepost.actors import Job, Runtime
from fencepost.checks.invariants import check_events, check_quiescent
from fencepost.events import Event
from fencepost.events.kinds import (
    BATCH,
    JOB_ADD_DEP,
    JOB_DONE,
    JOB_QUEUE,
    JOB_REQUEUED,
    JOB_RUN,
    JOB_TIMEDOUT,
    QUEUE_IDLE,
    RECOVERED,
)
from fencepost.fences import Fence
from fencepost.hw import Gpu, MockBackend
from fencepost.lab import ClientSetup, Setup, load, run

WORKLOADS = Path(__file__).parents[3] / "shared" / "workloads"

World = Literal["native", "virtual"]
Dispatch = Literal["thread", "workqueue"]


def queue(seqno: int, context: int = 4, ring: str = "rcs0") -> Event:
    return (0, JOB_QUEUE, ring, "e", "c", context, seqno, 0, 0)


def handed_over(seqno: int, context: int = 4, ring: str = "rcs0") -> Event:
    return (1, JOB_RUN, ring, "e", "c", context, seqno, 0, 1)


def done(seqno: int, error: int = 0, context: int = 4) -> Event:
    return (2, JOB_DONE, "rcs0", context, seqno, error)


def batch(seqno: int, start_ns: int, end_ns: int) -> Event:
    return (end_ns, BATCH, "rcs0", "c", 4, seqno, start_ns, end_ns)


def needs(seqno: int, on_context: int, on_seqno: int) -> Event:
    return (0, JOB_ADD_DEP, 4, seqno, on_context, on_seqno)


def timed_out(seqno: int) -> Event:
    return (1, JOB_TIMEDOUT, "rcs0", 4, seqno)


def requeued(seqno: int, *, idempotent: bool = True) -> Event:
    return (1, JOB_REQUEUED, "rcs0", 4, seqno, idempotent)


def idle(seqno: int, error: int = 0) -> Event:
    return (3, QUEUE_IDLE, "e", 4, seqno, error)


RECOVERY: Event = (1, RECOVERED, "gpu", 0, 0, "reset", 0)

GOOD: list[list[Event]] = [
    [],
    [queue(1), handed_over(1), batch(1, 0, 2), done(1)],
    [queue(1), queue(2), handed_over(1), handed_over(2), batch(1, 0, 2), batch(2, 2, 3), done(1), done(2)],
    [queue(1), done(1, -3)],
    [queue(1), needs(1, 99, 7), handed_over(1), done(1)],
    [queue(1, 6), queue(1), needs(1, 6, 1), handed_over(1, 6), handed_over(1), done(1, 0, 6), done(1)],
    [queue(1), handed_over(1), timed_out(1), requeued(1), RECOVERY, done(1), idle(1), idle(1)],
    [queue(1), handed_over(1), timed_out(1), RECOVERY, done(1, -110), idle(1, -110)],
]

BAD: list[tuple[str, list[Event]]] = [
    ("job 4:1 was never done", [queue(1), handed_over(1)]),
    ("job 4:2 was pushed out of order", [queue(2), done(2, -3)]),
    ("job 4:1 ran before it was pushed", [handed_over(1)]),
    ("job 4:1 ran on vcs0 and was pushed to rcs0", [queue(1), handed_over(1, ring="vcs0"), done(1)]),
    ("job 4:1 ran twice", [queue(1), handed_over(1), handed_over(1), done(1)]),
    ("job 4:1 ran after it was done", [queue(1), done(1, -3), handed_over(1)]),
    (
        "job 4:1 ran before one that its entity pushed earlier",
        [queue(1), queue(2), handed_over(2), handed_over(1), done(1), done(2)],
    ),
    ("job 4:1 was done before it was pushed", [done(1)]),
    ("job 4:1 was done twice", [queue(1), handed_over(1), done(1), done(1)]),
    ("job 4:1 was done without an error and never ran", [queue(1), done(1)]),
    (
        "job 4:1 ran before 6:1, which it needs",
        [queue(1, 6), queue(1), needs(1, 6, 1), handed_over(1), done(1), done(1, -3, 6)],
    ),
    (
        "job 4:1 ran before 6:1, which it needs",
        [
            queue(1, 6, "vcs0"),
            queue(1),
            needs(1, 6, 1),
            handed_over(1, 6, "vcs0"),
            handed_over(1),
            done(1),
            done(1, 0, 6),
        ],
    ),
    ("job 4:1 was executed on rcs0 backwards in time", [queue(1), handed_over(1), batch(1, 2, 1), done(1)]),
    ("job 4:1 was executed on rcs0 and never handed over", [queue(1), batch(1, 0, 1), done(1, -3)]),
    (
        "job 4:2 was executed on rcs0 beside another one",
        [queue(1), queue(2), handed_over(1), handed_over(2), batch(1, 0, 2), batch(2, 1, 3), done(1), done(2)],
    ),
    ("job 4:1 timed out and never ran", [queue(1), timed_out(1), done(1, -3)]),
    ("job 4:1 was to run again and never ran", [queue(1), requeued(1), done(1, -3)]),
    ("job 4:1 was to run again after it was done", [queue(1), handed_over(1), done(1), requeued(1)]),
    (
        "job 4:1 was to run again and is not idempotent",
        [queue(1), handed_over(1), requeued(1, idempotent=False), done(1)],
    ),
    (
        "job 4:1 was lost, and its client was told that all is well",
        [queue(1), queue(2), handed_over(1), done(1, -110), handed_over(2), done(2), idle(2)],
    ),
    (
        "job 4:1 was lost, and its client was told that all is well",
        [queue(1), handed_over(1), idle(1), done(1)],
    ),
]


@pytest.mark.parametrize("events", GOOD)
def test_what_is_right_is_not_reported(events: list[Event]) -> None:
    assert check_events(events) == []


@pytest.mark.parametrize(("violation", "events"), BAD, ids=[violation for violation, _ in BAD])
def test_what_is_wrong_is_reported(violation: str, events: list[Event]) -> None:
    assert violation in check_events(events)


@pytest.mark.parametrize("dispatch", ["thread", "workqueue"])
@pytest.mark.parametrize("world", ["native", "virtual"])
def test_a_run_with_a_kill_breaks_nothing(world: World, dispatch: Dispatch) -> None:
    with Runtime(world, dispatch, events=None) as rt:
        gpu = Gpu()
        schedulers = [rt.scheduler(gpu.ring(engine), engine, credit_limit=2) for engine in ("rcs0", "vcs0")]
        entities = [rt.entity([scheduler], f"e{index}") for index, scheduler in enumerate(schedulers * 2)]
        jobs: list[Job] = []
        for number in range(40):
            jobs.append(entities[number % 4].submit(50, deps=[job.finished for job in jobs[-3:]]))
        entities[1].kill()
    assert rt.events is not None
    assert check_events(rt.events) == []
    assert check_quiescent(rt) == []


def test_what_is_left_is_reported() -> None:
    with Runtime("virtual", log_leftovers=False) as rt:
        entity = rt.scheduler(MockBackend()).entity()
        entity.submit(1, deps=[Fence()])
    assert [what.partition(":")[0] for what in check_quiescent(rt)] == ["left behind"]


@pytest.mark.parametrize("world", ["native", "virtual"])
@pytest.mark.skipif(not WORKLOADS.is_dir(), reason=f"there are no workloads in {WORKLOADS}")
def test_real_workloads_break_nothing(world: World) -> None:
    for path in sorted(WORKLOADS.glob("*.wsim")):
        clients = tuple(ClientSetup(f"{path.stem}{number}", load(path), repeats=2) for number in range(2))
        result = run(Setup(path.stem, clients, world=world, dispatch="workqueue", keep_events=True))
        assert check_events(result.events) == []
