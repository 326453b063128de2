"""The cases of the kernel's own basic tests of its scheduler (tests_basic.c), except those of time-outs.

In the virtual world with the kernel's numbers and to the nanosecond; natively shorter, and only what must hold there.
"""

from __future__ import annotations

import errno
import itertools

import pytest

from fencepost import Priority
from fencepost.actors import Entity, Job, Runtime
from fencepost.hw import MockBackend
from tests.actors.kit import EVERYWHERE, LIMIT_S, NATIVELY, VIRTUALLY, Way, adds_up, finished, settle

JOB_US = 1000
JOBS = 100
NATIVE_JOB_US = 20

SHAPES = [
    pytest.param(1, False, id="a queue of jobs in a single entity"),
    pytest.param(1, True, id="a chain of dependent jobs"),
    pytest.param(4, False, id="multiple independent job queues"),
    pytest.param(4, True, id="multiple inter-dependent job queues"),
]


def submit_round_robin(entities: list[Entity], count: int, job_us: float, *, chained: bool = False) -> list[Job]:
    """Submit so many jobs, entity by entity; chained ones each wait for the one before."""
    jobs: list[Job] = []
    for entity in itertools.islice(itertools.cycle(entities), count):
        jobs.append(entity.submit(job_us, deps=[jobs[-1].finished] if chained and jobs else []))
    return jobs


def end_times_us(jobs: list[Job]) -> list[float]:
    return [job.finished.timestamp_ns / 1000 for job in jobs]


def an_entity_for_each_priority(rt: Runtime) -> list[Entity]:
    scheduler = rt.scheduler(MockBackend())
    return [scheduler.entity(priority=priority) for priority in Priority]


@EVERYWHERE
def test_a_job_is_scheduled_at_once_and_finished_when_the_device_says_so(way: Way) -> None:
    """1: drm_sched_basic_submit."""
    with way.runtime() as rt:
        backend = MockBackend()
        scheduler = rt.scheduler(backend)
        entity = scheduler.entity()
        job = entity.submit()
        assert job.scheduled.wait(LIMIT_S)
        settle(entity, scheduler)
        assert not job.finished.signaled
        assert backend.advance(1) == 1
        assert job.finished.wait(LIMIT_S)
        assert backend.advance(1) == 0
    assert adds_up(rt)


@VIRTUALLY
def test_a_job_that_nobody_completes_is_not_finished_after_half_a_second(way: Way) -> None:
    """1: drm_sched_basic_submit, the wait that must fail."""
    with way.runtime() as rt:
        job = rt.scheduler(MockBackend()).entity().submit()
        assert not job.finished.wait(0.5)
        assert rt.world.now_ns() == 500_000_000


@pytest.mark.parametrize(("entities", "chained"), SHAPES)
@VIRTUALLY
def test_each_job_takes_its_time_and_no_more(way: Way, entities: int, chained: bool) -> None:  # noqa: FBT001
    """2 to 5: drm_sched_basic_test."""
    with way.runtime() as rt:
        scheduler = rt.scheduler(MockBackend())
        jobs = submit_round_robin([scheduler.entity() for _ in range(entities)], JOBS, JOB_US, chained=chained)
        assert jobs[-1].finished.wait(1.0)
        assert finished(jobs)
        assert sorted(end_times_us(jobs)) == [JOB_US * (number + 1) for number in range(JOBS)]
        if chained or entities == 1:
            assert end_times_us(jobs) == sorted(end_times_us(jobs))
        else:
            assert {rt.world.now_ns()} == {JOBS * JOB_US * 1000}
    assert adds_up(rt)
    assert rt.statistics().jobs_completed == JOBS


@pytest.mark.parametrize(("entities", "chained"), SHAPES)
@NATIVELY
def test_jobs_run_in_order_on_real_threads(way: Way, entities: int, chained: bool) -> None:  # noqa: FBT001
    """2 to 5: drm_sched_basic_test."""
    with way.runtime() as rt:
        scheduler = rt.scheduler(MockBackend())
        queues = [scheduler.entity() for _ in range(entities)]
        jobs = submit_round_robin(queues, JOBS, NATIVE_JOB_US, chained=chained)
        assert finished(jobs)
        for one in [jobs] if chained else [[job for job in jobs if job.entity is queue] for queue in queues]:
            ends = end_times_us(one)
            assert all(later - earlier >= NATIVE_JOB_US for earlier, later in itertools.pairwise(ends))
    assert adds_up(rt)
    assert rt.statistics().jobs_completed == JOBS


@EVERYWHERE
def test_entities_can_be_freed_with_dependent_jobs_pending(way: Way) -> None:
    """6: drm_sched_basic_entity_cleanup."""
    job_us = JOB_US if way.world == "virtual" else NATIVE_JOB_US
    with way.runtime() as rt:
        scheduler = rt.scheduler(MockBackend())
        entities = [scheduler.entity() for _ in range(4)]
        jobs = submit_round_robin(entities, JOBS, job_us, chained=True)
        assert jobs[50].finished.wait(1.0 if way.world == "virtual" else LIMIT_S)
        if way.world == "virtual":
            assert jobs[50].finished.timestamp_ns == 51 * JOB_US * 1000
        for entity in entities:
            assert entity.fini(LIMIT_S)
        errors = [job.finished.error for job in jobs]
        completed = errors.count(0)
        assert completed >= 51
        assert errors.count(-errno.ESRCH) == JOBS - completed
        for entity in entities:
            mine = [job.finished.error for job in jobs if job.entity is entity]
            assert mine == sorted(mine, reverse=True), "a job ran behind one that was killed"
        assert scheduler.score == 0
    assert adds_up(rt)


@EVERYWHERE
def test_a_finished_scheduler_cancels_what_is_on_the_hardware(way: Way) -> None:
    """9: drm_sched_basic_cancel."""
    with way.runtime() as rt:
        scheduler = rt.scheduler(MockBackend())
        entity = scheduler.entity()
        job = entity.submit()
        assert job.scheduled.wait(LIMIT_S)
        entity.kill()
        scheduler.fini()
        assert job.finished.parent is not None
        assert job.finished.parent.error == -errno.ECANCELED
        assert job.finished.error == -errno.ECANCELED
        assert entity.fini(LIMIT_S)
    assert adds_up(rt)


@EVERYWHERE
def test_entities_of_all_priorities_get_to_run(way: Way) -> None:
    """10: drm_sched_priorities."""
    assert Priority.KERNEL < Priority.LOW
    assert len(Priority) == 4
    with way.runtime() as rt:
        jobs = submit_round_robin(
            an_entity_for_each_priority(rt), JOBS, JOB_US if way.world == "virtual" else NATIVE_JOB_US
        )
        assert finished(jobs)
        if way.world == "virtual":
            assert sorted(end_times_us(jobs)) == [JOB_US * (number + 1) for number in range(JOBS)]
    assert adds_up(rt)


@EVERYWHERE
def test_priorities_can_change_while_jobs_run(way: Way) -> None:
    """11: drm_sched_change_priority."""
    count, job_us, step_s = (1000, JOB_US, 350e-6) if way.world == "virtual" else (200, NATIVE_JOB_US, 7e-6)
    with way.runtime() as rt:
        entities = an_entity_for_each_priority(rt)
        jobs = submit_round_robin(entities, count, job_us)
        for entity in itertools.cycle(entities):
            if jobs[-1].finished.wait(step_s):
                break
            entity.set_priority(Priority((entity.priority + 1) % len(Priority)))
        assert finished(jobs)
        if way.world == "virtual":
            assert max(end_times_us(jobs)) == count * job_us
        for entity in entities:
            mine = end_times_us([job for job in jobs if job.entity is entity])
            assert mine == sorted(mine)
    assert adds_up(rt)


@EVERYWHERE
def test_schedulers_can_be_modified_while_jobs_run(way: Way) -> None:
    """12: drm_sched_test_modify_sched."""
    count, job_us, step_s = (1000, JOB_US, 350e-6) if way.world == "virtual" else (200, NATIVE_JOB_US, 7e-6)
    with way.runtime() as rt:
        schedulers = [rt.scheduler(MockBackend()) for _ in range(3)]
        entities = [schedulers[number % 3].entity() for number in range(13)]
        jobs = submit_round_robin(entities, count, job_us)
        turns = itertools.cycle(schedulers)
        for entity in itertools.cycle(entities):
            if jobs[-1].finished.wait(step_s):
                break
            entity.modify_schedulers([next(turns)])
        assert finished(jobs)
        for entity in entities:
            mine = end_times_us([job for job in jobs if job.entity is entity])
            assert mine == sorted(mine)
            assert entity.fini(LIMIT_S)
        assert [scheduler.score for scheduler in schedulers] == [0, 0, 0]
    assert adds_up(rt)


@EVERYWHERE
def test_credits_let_one_job_at_a_time_to_the_hardware(way: Way) -> None:
    """13: drm_sched_test_credits."""
    with way.runtime() as rt:
        backend = MockBackend()
        scheduler = rt.scheduler(backend, credit_limit=1)
        entity = scheduler.entity()
        first, second = entity.submit(), entity.submit()
        assert first.scheduled.wait(LIMIT_S)
        settle(entity, scheduler)
        assert not second.scheduled.signaled
        assert backend.advance(1) == 1
        assert second.scheduled.wait(LIMIT_S)
        assert backend.advance(1) == 1
        assert second.finished.wait(LIMIT_S)
    assert adds_up(rt)
