# ruff: noqa: PT012 - what a runtime raises when its block is left is what is tested
"""What is reported, and when: never early, never put off, and never twice."""

from __future__ import annotations

import errno
from typing import cast

import pytest

from fencepost.actors import Job, Recovery, Runtime, Status
from fencepost.actors.procedure import Steps, Until, UntilSignaled
from fencepost.errors import Deadlock, WrongState
from fencepost.fences import Fence
from fencepost.sync import WaitQueue
from tests.actors.kit import EVERYWHERE, LIMIT_S, Way, adds_up, finished, settle
from tests.actors.scripted import TIMEOUT_S, TIMEOUT_US, ScriptedDriver, lose, no_hang, reset, timed_out_us

# What is reported.


def test_only_the_job_that_hangs_is_lost_and_the_next_gets_its_full_time(rt: Runtime) -> None:
    driver = ScriptedDriver(reset)
    entity = rt.scheduler(driver, timeout_s=TIMEOUT_S, credit_limit=3).entity()
    jobs = [entity.submit(), entity.submit(90_000), entity.submit()]
    assert finished(jobs)
    assert [job.finished.error for job in jobs] == [-errno.EIO, 0, -errno.EIO]
    assert [job.finished.timestamp_ns / 1000 for job in jobs] == [
        TIMEOUT_US,
        TIMEOUT_US + 90_000,
        2 * TIMEOUT_US + 90_000,
    ]
    assert driver.asked == [(1, TIMEOUT_US), (3, 2 * TIMEOUT_US + 90_000)]


def test_a_steady_stream_of_submissions_does_not_put_a_report_off(rt: Runtime) -> None:
    driver = ScriptedDriver(reset)
    entity = rt.scheduler(driver, timeout_s=TIMEOUT_S, credit_limit=1000).entity()
    first = entity.submit()
    while not first.finished.wait(TIMEOUT_S / 10):
        entity.submit(1)
        assert rt.world.now_ns() <= 2 * TIMEOUT_S * 1e9
    assert timed_out_us(driver) == [TIMEOUT_US]


def test_jobs_that_come_and_go_are_never_reported(rt: Runtime) -> None:
    driver = ScriptedDriver(reset)
    entity = rt.scheduler(driver, timeout_s=TIMEOUT_S, credit_limit=2).entity()
    assert finished([entity.submit(0.9 * TIMEOUT_US) for _ in range(30)])
    assert driver.asked == []


def test_of_jobs_that_complete_out_of_order_the_oldest_is_timed(rt: Runtime) -> None:
    """B42: the timer is for the first that is not complete, not for one that is and waits to be freed."""
    driver = ScriptedDriver(no_hang)
    entity = rt.scheduler(driver, timeout_s=TIMEOUT_S, credit_limit=4).entity()
    jobs = [entity.submit() for _ in range(3)]
    settle(entity, entity.scheduler)
    rt.world.sleep(0.02)
    lose(jobs[1], 0)
    rt.world.sleep(0.04)
    lose(jobs[0], 0)
    assert not jobs[2].finished.wait(2.5 * TIMEOUT_S)
    assert driver.asked == [(3, 60_000 + TIMEOUT_US), (3, 60_000 + 2 * TIMEOUT_US)]


def test_a_job_that_completes_before_its_report_is_taken_up_is_left_alone(rt: Runtime) -> None:
    """B11, B28: it is complete, and freed, and nobody is asked about it."""
    stalled = Fence()

    def stall(_job: Job, _recovery: Recovery) -> Steps[Status]:
        yield UntilSignaled(stalled)
        return Status.NO_HANG

    domain = rt.reset_domain()
    busy = rt.scheduler(ScriptedDriver(stall), timeout_s=TIMEOUT_S, domain=domain)
    driver = ScriptedDriver(reset)
    scheduler = rt.scheduler(driver, timeout_s=TIMEOUT_S, domain=domain)
    hanging = busy.entity().submit()
    late = scheduler.entity().submit(1.5 * TIMEOUT_US)
    assert late.finished.wait(LIMIT_S)
    assert late.finished.error == 0
    stalled.signal()
    settle(scheduler)
    cast("ScriptedDriver", busy.backend).answer = reset
    assert hanging.finished.wait(LIMIT_S)
    assert driver.asked == []
    assert driver.log == [1, ("freed", 1)]
    assert [(record.scheduler, record.status) for record in domain.records] == [
        ("sched0", Status.NO_HANG),
        ("sched1", Status.NO_HANG),
        ("sched0", Status.RESET),
    ]


def test_a_report_that_came_to_nothing_does_not_give_the_next_job_more_time(rt: Runtime) -> None:
    """The handler is busy; the job that was reported completes, and the one behind it has its time meanwhile."""
    stalled = Fence()

    def stall(_job: Job, _recovery: Recovery) -> Steps[Status]:
        yield UntilSignaled(stalled)
        return reset(_job, _recovery)

    domain = rt.reset_domain()
    rt.scheduler(ScriptedDriver(stall), timeout_s=TIMEOUT_S, domain=domain).entity().submit()
    driver = ScriptedDriver(reset)
    entity = rt.scheduler(driver, timeout_s=TIMEOUT_S, domain=domain, credit_limit=2).entity()
    jobs = [entity.submit(1.2 * TIMEOUT_US), entity.submit()]
    rt.world.sleep_until(round(3 * TIMEOUT_S * 1e9))
    stalled.signal()
    assert finished(jobs)
    assert [job.finished.error for job in jobs] == [0, -errno.EIO]
    assert driver.asked == [(2, 3 * TIMEOUT_US)]


# Faults.


@EVERYWHERE
def test_a_fault_is_reported_at_once(way: Way) -> None:
    with way.runtime() as rt:
        driver = ScriptedDriver(reset)
        scheduler = rt.scheduler(driver, domain=rt.reset_domain())
        job = scheduler.entity().submit()
        assert job.scheduled.wait(LIMIT_S)
        scheduler.fault()
        assert job.finished.wait(LIMIT_S)
        assert job.finished.error == -errno.EIO
    assert adds_up(rt)


@EVERYWHERE
def test_a_fault_with_nothing_on_the_hardware_or_without_a_handler_is_harmless(way: Way) -> None:
    with way.runtime() as rt:
        schedulers = [rt.scheduler(ScriptedDriver(), domain=rt.reset_domain()), rt.scheduler(ScriptedDriver())]
        for scheduler in schedulers:
            scheduler.fault()
            assert finished([scheduler.entity().submit(1)])
            scheduler.fault()
            settle(scheduler)
            assert cast("ScriptedDriver", scheduler.backend).asked == []
    assert adds_up(rt)


def test_a_fault_during_a_recovery_is_looked_at_afterwards(rt: Runtime) -> None:
    def fault_again(job: Job, recovery: Recovery) -> Status:
        if job.finished.seqno == 1:
            job.scheduler.fault()
        return reset(job, recovery)

    driver = ScriptedDriver(fault_again)
    scheduler = rt.scheduler(driver, domain=rt.reset_domain(), credit_limit=2)
    entity = scheduler.entity()
    jobs = [entity.submit(), entity.submit()]
    assert jobs[1].scheduled.wait(LIMIT_S)
    scheduler.fault()
    assert finished(jobs)
    assert driver.asked == [(1, 0), (2, 0)]


# The time-out itself.


def test_a_time_out_of_zero_ends_what_is_there_and_all_that_comes(rt: Runtime) -> None:
    driver = ScriptedDriver(reset)
    scheduler = rt.scheduler(driver, domain=rt.reset_domain(), credit_limit=2)
    entity = scheduler.entity()
    jobs = [entity.submit() for _ in range(3)]
    rt.world.sleep(0.5)
    scheduler.set_timeout(0)
    jobs += [entity.submit() for _ in range(2)]
    assert finished(jobs)
    assert timed_out_us(driver) == [500_000] * 5


def test_a_job_is_on_the_hardware_before_its_time_runs(rt: Runtime) -> None:
    """T1-10, T1-11: also when there is no time at all, and after a restart, which runs jobs before it times them."""

    def look(job: Job, recovery: Recovery) -> Status:
        assert job.finished.parent is not None
        assert driver.log[-1] == job.finished.seqno
        return reset(job, recovery)

    driver = ScriptedDriver(look)
    entity = rt.scheduler(driver, timeout_s=0).entity()
    assert finished([entity.submit() for _ in range(4)])
    assert [seqno for seqno, _ in driver.asked] == [1, 2, 3, 4]


def test_a_time_out_of_zero_lets_a_job_go_on_that_does_not_hang(rt: Runtime) -> None:
    """It is looked at again and again, with time in between."""
    driver = ScriptedDriver(no_hang)
    job = rt.scheduler(driver, timeout_s=0).entity().submit(2500)
    assert job.finished.wait(LIMIT_S)
    assert driver.asked == [(1, 0), (1, 1000), (1, 2000)]


@pytest.mark.parametrize("timeout_s", [None, 0.25, 0.01])
def test_a_time_out_is_changed_for_the_oldest_job_too(rt: Runtime, timeout_s: float | None) -> None:
    driver = ScriptedDriver(reset)
    scheduler = rt.scheduler(driver, timeout_s=TIMEOUT_S)
    job = scheduler.entity().submit()
    rt.world.sleep(0.05)
    scheduler.set_timeout(timeout_s)
    assert job.finished.wait(1) == (timeout_s is not None)
    assert timed_out_us(driver) == ([] if timeout_s is None else [50_000 + timeout_s * 1e6])


def test_a_time_out_that_was_taken_away_and_given_back_counts_from_then(rt: Runtime) -> None:
    driver = ScriptedDriver(reset)
    scheduler = rt.scheduler(driver, timeout_s=TIMEOUT_S)
    job = scheduler.entity().submit()
    scheduler.set_timeout(None)
    rt.world.sleep(1)
    scheduler.set_timeout(TIMEOUT_S)
    assert job.finished.wait(LIMIT_S)
    assert timed_out_us(driver) == [1_000_000 + TIMEOUT_US]


def test_a_time_out_that_is_changed_during_a_recovery_holds_afterwards(rt: Runtime) -> None:
    def answer(job: Job, recovery: Recovery) -> Steps[Status]:
        if len(driver.asked) > 1:
            return reset(job, recovery)
        job.scheduler.set_timeout(0.02)
        yield Until(lambda: False, WaitQueue(), 0.05)
        return Status.NO_HANG

    driver = ScriptedDriver(answer)
    job = rt.scheduler(driver, timeout_s=TIMEOUT_S).entity().submit()
    assert job.finished.wait(LIMIT_S)
    assert timed_out_us(driver) == [TIMEOUT_US, TIMEOUT_US + 70_000]


def test_while_the_timer_is_suspended_nothing_is_reported(rt: Runtime) -> None:
    driver = ScriptedDriver(reset)
    scheduler = rt.scheduler(driver, timeout_s=TIMEOUT_S)
    assert scheduler.suspend_timeout() == TIMEOUT_S
    scheduler.resume_timeout(0.01)
    entity = scheduler.entity()
    first = entity.submit()
    rt.world.sleep(0.03)
    left_s = scheduler.suspend_timeout()
    assert left_s == pytest.approx(0.07)
    assert not first.finished.wait(1)
    driver.advance()
    second = entity.submit()
    assert not second.finished.wait(1)
    assert driver.asked == []
    scheduler.resume_timeout(left_s)
    assert second.finished.wait(1)
    assert timed_out_us(driver) == [2_030_000 + 70_000]


def test_a_scheduler_that_has_ended_has_nothing_left_to_measure(rt: Runtime) -> None:
    scheduler = rt.scheduler(ScriptedDriver(), timeout_s=TIMEOUT_S)
    scheduler.actor.actor_ref.stop()
    assert scheduler.suspend_timeout() is None
    scheduler.set_timeout(1)
    scheduler.resume_timeout(1)
    scheduler.fault()


def test_without_a_domain_there_is_nothing_to_set(rt: Runtime) -> None:
    scheduler = rt.scheduler(ScriptedDriver())
    for call in (scheduler.suspend_timeout, lambda: scheduler.set_timeout(1), lambda: scheduler.resume_timeout(1)):
        with pytest.raises(WrongState, match="no reset domain"):
            call()


def test_a_timer_that_is_armed_hides_no_deadlock() -> None:
    """It stays armed when its job has ended, and fires once for nothing."""
    with pytest.raises(Deadlock, match="main waits for") as caught, Runtime("virtual") as rt:
        scheduler = rt.scheduler(ScriptedDriver(), timeout_s=TIMEOUT_S)
        entity = scheduler.entity()
        assert finished([entity.submit(10) for _ in range(3)])
        Fence(name="never").wait()
    assert "never" in str(caught.value)
