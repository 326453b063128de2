# ruff: noqa: PT012 - what a runtime raises when its block is left is what is tested
"""Recoveries, step by step: who stops, who is asked, what signals, who goes on."""

from __future__ import annotations

import errno
from typing import cast

import pytest

from fencepost.actors import Job, Recovery, Runtime, Status
from fencepost.actors.messages import Stopped, StopSubmission
from fencepost.actors.procedure import Steps, Until, UntilSignaled
from fencepost.errors import ActorFailed, WrongState
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.sync import WaitQueue
from tests.actors.kit import EVERYWHERE, LIMIT_S, Way, adds_up, finished, settle
from tests.actors.scripted import TIMEOUT_S, TIMEOUT_US, ScriptedDriver, lose, reset, timed_out_us

# What a driver may answer.


@EVERYWHERE
def test_a_driver_may_wait_between_its_steps(way: Way) -> None:
    """Its scheduler stands still meanwhile, others go on."""
    told = [False]
    changed: list[WaitQueue] = []

    def answer(job: Job, _recovery: Recovery) -> Steps[Status]:
        assert not (yield Until(lambda: False, changed[0], 0.001))
        assert (yield Until(lambda: told[0], changed[0], 1000))
        lose(job)
        return Status.RESET

    with way.runtime() as rt:
        changed.append(WaitQueue())
        driver = ScriptedDriver(answer)
        scheduler = rt.scheduler(driver, timeout_s=0.001, credit_limit=2)
        other = rt.scheduler(MockBackend()).entity()
        entity = scheduler.entity()
        job = entity.submit()
        while not driver.asked:
            rt.world.sleep(0.001)
        behind = entity.submit(1)
        assert other.submit(1).finished.wait(LIMIT_S)
        settle(entity, scheduler)
        assert driver.log == [1]
        told[0] = True
        changed[0].wake_all()
        assert finished([job, behind])
        assert (job.finished.error, behind.finished.error) == (-errno.EIO, 0)
    assert adds_up(rt)


@EVERYWHERE
def test_a_device_that_is_gone_ends_all_jobs_of_its_domain(way: Way) -> None:
    """On the hardware, ready, or waiting for something that is still to come; in order."""

    def gone(_job: Job, _recovery: Recovery) -> Status:
        return Status.ENODEV

    with way.runtime() as rt:
        domain, blocker = rt.reset_domain(), Fence()
        faulty, other = (rt.scheduler(ScriptedDriver(gone), domain=domain) for _ in range(2))
        ends: list[int] = []
        jobs: list[Job] = []
        for scheduler in (faulty, other):
            entity = scheduler.entity()
            jobs += [entity.submit(), entity.submit(), entity.submit(deps=[blocker])]
        for number, job in enumerate(jobs):
            job.finished.add_callback(lambda _, number=number: ends.append(number))  # type: ignore[misc]
        assert jobs[0].scheduled.wait(LIMIT_S)
        faulty.fault()
        assert finished(jobs[:2] + jobs[3:5])
        assert not jobs[2].finished.signaled
        blocker.signal()
        assert finished(jobs)
        assert {job.finished.error for job in jobs} == {-errno.ENODEV}
        assert [number for number in ends if number < 3] == [0, 1, 2]
        assert [number for number in ends if number >= 3] == [3, 4, 5]
        with pytest.raises(OSError, match="takes jobs"):
            other.entity().submit()
        assert domain.count(Status.ENODEV) == 1
    assert adds_up(rt)


@EVERYWHERE
def test_an_entity_moves_away_from_a_device_that_is_gone(way: Way) -> None:
    with way.runtime() as rt:
        domain = rt.reset_domain()
        lost, whole = rt.scheduler(ScriptedDriver(), domain=domain), rt.scheduler(ScriptedDriver())
        entity = rt.entity([lost, whole])
        jobs = [entity.submit(), entity.submit()]
        assert jobs[0].scheduled.wait(LIMIT_S)
        domain.unplug()
        assert finished(jobs)
        job = entity.submit(1)
        assert job.finished.wait(LIMIT_S)
        assert (job.finished.error, job.finished.scheduler) == (0, whole)
    assert adds_up(rt)


@EVERYWHERE
def test_a_device_is_unplugged_once(way: Way) -> None:
    with way.runtime() as rt:
        domain = rt.reset_domain()
        scheduler = rt.scheduler(ScriptedDriver(), domain=domain)
        job = scheduler.entity().submit()
        assert job.scheduled.wait(LIMIT_S)
        for _ in range(3):
            domain.unplug()
        assert job.finished.wait(LIMIT_S)
        scheduler.fault()
        assert scheduler.fini(LIMIT_S)
        assert [record.status for record in domain.records] == [Status.ENODEV]
        assert domain.records[0].job is None
    assert adds_up(rt)


@EVERYWHERE
@pytest.mark.parametrize("waits", [False, True])
def test_when_a_driver_raises_the_device_is_given_up(way: Way, waits: bool) -> None:  # noqa: FBT001
    def steps() -> Steps[Status]:
        yield Until(lambda: False, WaitQueue(), 0.001)
        raise RuntimeError("the firmware is on fire")

    def answer(_job: Job, _recovery: Recovery) -> Status | Steps[Status]:
        if waits:
            return steps()
        raise RuntimeError("the firmware is on fire")

    with pytest.raises(ActorFailed, match="on fire"), way.runtime() as rt:
        domain = rt.reset_domain()
        scheduler, other = (rt.scheduler(ScriptedDriver(answer), domain=domain) for _ in range(2))
        jobs = [scheduler.entity().submit() for _ in range(2)]
        settle(*(job.entity for job in jobs), scheduler)
        scheduler.fault()
        assert finished(jobs)
        assert {job.finished.error for job in jobs} == {-errno.ENODEV}
        assert other.fini(LIMIT_S)
        with pytest.raises(OSError, match="takes jobs"):
            other.entity().submit()
    assert adds_up(rt)


@EVERYWHERE
def test_a_hang_on_a_domain_without_a_handler_ends_its_scheduler(way: Way) -> None:
    with way.runtime() as rt:
        domain = rt.reset_domain()
        domain.actor.actor_ref.stop()
        scheduler = rt.scheduler(ScriptedDriver(), domain=domain, timeout_s=0.001)
        job = scheduler.entity().submit()
        assert job.finished.wait(LIMIT_S)
        assert job.finished.error == -errno.ENODEV
    assert adds_up(rt)


# Several schedulers.


def test_a_driver_stops_others_of_the_domain_and_all_start_afterwards(rt: Runtime) -> None:
    """Their jobs are its own meanwhile, and get their full time anew."""
    domain, seen = rt.reset_domain(), list[tuple[list[list[int]], bool]]()

    def reset_all(job: Job, recovery: Recovery) -> Steps[Status]:
        yield from recovery.stop(recovery.schedulers)
        yield from recovery.stop(recovery.schedulers)
        pending = [[each.finished.seqno for each in recovery.pending()[one]] for one in recovery.schedulers]
        lose(job)
        # Complete on the hardware, and held until the start.
        lose(jobs[1], 0)
        assert not (yield Until(lambda: False, WaitQueue(), 0.01))
        seen.append((pending, jobs[1].finished.signaled))
        return Status.RESET

    drivers = [ScriptedDriver(reset_all) for _ in range(3)]
    schedulers = [rt.scheduler(driver, domain=domain, timeout_s=TIMEOUT_S, credit_limit=2) for driver in drivers]
    entities = [scheduler.entity() for scheduler in schedulers]
    jobs = [entity.submit() for entity in entities[:2]]
    rt.world.sleep(TIMEOUT_S / 2)
    jobs += [entities[1].submit(), entities[2].submit()]
    assert finished(jobs[:2])
    assert seen == [([[1], [1, 2], [1]], False)]
    assert [job.finished.error for job in jobs[:2]] == [-errno.EIO, 0]
    assert rt.world.now_ns() == 110_000_000
    drivers[1].answer = drivers[2].answer = reset
    assert finished(jobs)
    assert [timed_out_us(driver) for driver in drivers] == [
        [TIMEOUT_US],
        [2 * TIMEOUT_US + 10_000],
        [2 * TIMEOUT_US + 10_000],
    ]


def test_a_scheduler_of_another_domain_cannot_be_stopped(rt: Runtime) -> None:
    stranger = rt.scheduler(MockBackend())
    seen: list[str] = []

    def answer(job: Job, recovery: Recovery) -> Steps[Status]:
        try:
            yield from recovery.stop([stranger])
        except WrongState as error:
            seen.append(str(error))
        return reset(job, recovery)

    job = rt.scheduler(ScriptedDriver(answer), timeout_s=TIMEOUT_S).entity().submit()
    assert job.finished.wait(LIMIT_S)
    assert "not in it" in seen[0]


def test_an_answer_to_a_stop_that_is_over_is_no_answer_to_the_next(rt: Runtime) -> None:
    """A recovery ended while a scheduler was in the middle of a message and had not answered; then comes another."""
    taken: list[tuple[Job, ...]] = []
    message_ends = Fence()

    def hasty(job: Job, recovery: Recovery) -> Steps[Status]:
        # The first wait of the stop is cut short.
        next(recovery.stop([other]))
        return reset(job, recovery)
        yield  # pragma: no cover - it is a generator

    def patient(job: Job, recovery: Recovery) -> Steps[Status]:
        yield from recovery.stop([other])
        taken.append(recovery.pending()[other])
        return reset(job, recovery)

    def wait_long() -> Steps[None]:
        yield UntilSignaled(message_ends)

    domain = rt.reset_domain()
    driver = ScriptedDriver(hasty)
    scheduler = rt.scheduler(driver, timeout_s=TIMEOUT_S, domain=domain)
    other = rt.scheduler(ScriptedDriver(), domain=domain)
    entity, elsewhere = scheduler.entity(), other.entity()
    on_other = elsewhere.submit()
    assert on_other.scheduled.wait(LIMIT_S)
    other.send(wait_long)
    assert entity.submit().finished.wait(LIMIT_S)
    driver.answer = patient
    second = entity.submit()
    assert not second.finished.wait(2 * TIMEOUT_S)
    message_ends.signal()
    assert second.finished.wait(LIMIT_S)
    assert taken == [(on_other,)]
    assert cast("ScriptedDriver", other.backend).advance() == 1
    assert on_other.finished.wait(LIMIT_S)
    assert elsewhere.submit(1).finished.wait(LIMIT_S)


def test_a_late_answer_is_not_taken_for_a_stop(rt: Runtime) -> None:
    domain = rt.reset_domain()
    scheduler = rt.scheduler(ScriptedDriver(reset), timeout_s=TIMEOUT_S, domain=domain)
    domain.actor.post(Stopped(scheduler.actor, (), StopSubmission(domain.actor)))
    job = scheduler.entity().submit()
    assert job.finished.wait(LIMIT_S)
    assert job.finished.error == -errno.EIO


def test_a_scheduler_that_has_ended_counts_as_stopped(rt: Runtime) -> None:
    def stop_all(job: Job, recovery: Recovery) -> Steps[Status]:
        yield from recovery.stop(recovery.schedulers)
        return reset(job, recovery)

    domain = rt.reset_domain()
    job = rt.scheduler(ScriptedDriver(stop_all), timeout_s=TIMEOUT_S, domain=domain).entity().submit()
    rt.scheduler(ScriptedDriver(), domain=domain).actor.actor_ref.stop()
    assert job.finished.wait(LIMIT_S)
    assert job.finished.error == -errno.EIO
