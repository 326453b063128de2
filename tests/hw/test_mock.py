"""The device of the KUnit tests (drm_sched.md 8.0), in virtual time."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from fencepost import Runtime
from fencepost.actors import Entity, Job
from fencepost.errors import WrongState
from fencepost.hw import MockBackend

Stretches = Callable[[], list[tuple[str, str, int, int]]]


@pytest.fixture
def mock() -> MockBackend:
    return MockBackend()


@pytest.fixture
def entity(rt: Runtime, mock: MockBackend) -> Entity:
    return rt.scheduler(mock, "mock0", credit_limit=100).entity()


def handed_over(*jobs: Job) -> None:
    for job in jobs:
        job.scheduled.wait()


def done(*jobs: Job) -> list[bool]:
    return [bool(job.finished.parent and job.finished.parent.signaled) for job in jobs]


def test_durations_are_chained(entity: Entity, stretches: Stretches) -> None:
    jobs = [entity.submit(duration) for duration in (1000, 500, 0, 10)]
    jobs[-1].finished.wait()
    assert stretches() == [
        ("mock0", "", 0, 1000),
        ("mock0", "", 1000, 1500),
        ("mock0", "", 1500, 1500),
        ("mock0", "", 1500, 1510),
    ]


def test_a_chain_begins_anew_when_the_device_was_idle(rt: Runtime, entity: Entity) -> None:
    entity.submit(10).finished.wait()
    rt.world.sleep_until(1_000_000)
    job = entity.submit(10)
    job.finished.wait()
    assert job.finished.timestamp_ns == 1_010_000


def test_a_job_without_a_duration_waits_to_be_told(rt: Runtime, mock: MockBackend, entity: Entity) -> None:
    job = entity.submit()
    assert job.scheduled.wait(1)
    assert not job.finished.wait(0.5)
    assert mock.advance() == 1
    assert done(job) == [True]
    assert job.finished.wait(1)
    assert job.finished.timestamp_ns == 500_000_000 == rt.world.now_ns()


def test_one_that_waits_to_be_told_blocks_all_behind_it(mock: MockBackend, entity: Entity) -> None:
    first, manual, second, third = entity.submit(10), entity.submit(), entity.submit(10), entity.submit(10)
    assert not third.finished.wait(1)
    assert done(first, manual, second, third) == [True, False, False, False]
    mock.advance(1)
    third.finished.wait()
    assert [job.finished.timestamp_ns for job in (manual, second, third)] == [
        1_000_000_000,
        1_000_010_000,
        1_000_020_000,
    ]


def test_advance_completes_so_many_and_tells_how_many_there_were(mock: MockBackend, entity: Entity) -> None:
    jobs = [entity.submit() for _ in range(5)]
    handed_over(*jobs)
    assert mock.advance(2) == 2
    assert done(*jobs) == [True, True, False, False, False]
    assert mock.advance(0) == 0
    assert mock.advance(10) == 3
    assert done(*jobs) == [True] * 5
    assert mock.advance() == 0


def test_what_was_advanced_in_vain_is_not_kept_for_later(mock: MockBackend, entity: Entity) -> None:
    handed_over(entity.submit())
    mock.advance(10)
    job = entity.submit()
    assert not job.finished.wait(1)


def test_advance_completes_jobs_with_a_duration_too(rt: Runtime, mock: MockBackend, entity: Entity) -> None:
    """And what is behind them starts then: the device is not busy with what is over."""
    long, short = entity.submit(1_000_000), entity.submit(10)
    handed_over(long, short)
    rt.world.sleep_until(5000)
    assert mock.advance() == 1
    short.finished.wait()
    assert (long.finished.timestamp_ns, short.finished.timestamp_ns) == (5000, 15_000)
    assert mock.advance() == 0


def test_what_is_complete_is_not_advanced_again(rt: Runtime, mock: MockBackend, entity: Entity) -> None:
    due, manual = entity.submit(10), entity.submit()
    handed_over(due, manual)
    rt.world.sleep_until(10_000)
    assert mock.advance() == 1
    assert done(due, manual) == [True, True]


def test_a_cancelled_job_signals_before_the_call_returns(mock: MockBackend, entity: Entity) -> None:
    first, second, third = (entity.submit() for _ in range(3))
    handed_over(first, second, third)
    for job in (second, first):
        mock.cancel_job(job)
        assert job.finished.parent is not None
        assert job.finished.parent.error == -errno.ECANCELED
    assert done(third) == [False]
    assert mock.advance(5) == 1


def test_leaving_cancels_what_is_on_the_device() -> None:
    with Runtime(world="virtual") as rt:
        job = rt.scheduler(MockBackend()).entity().submit()
        handed_over(job)
    assert job.finished.parent is not None
    assert (job.finished.error, job.finished.parent.error) == (-errno.ECANCELED, -errno.ECANCELED)


def test_it_serves_one_scheduler(rt: Runtime, mock: MockBackend) -> None:
    rt.scheduler(mock, "mock0")
    with pytest.raises(WrongState, match="mock0: a ring serves one scheduler"):
        rt.scheduler(mock)


def test_it_cannot_advance_without_a_scheduler(mock: MockBackend) -> None:
    with pytest.raises(WrongState, match="mock has no scheduler yet"):
        mock.advance()
