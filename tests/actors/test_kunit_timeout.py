"""The cases of the kernel's own basic tests of its scheduler (tests_basic.c) that are about time-outs."""

from __future__ import annotations

import errno

from fencepost.actors import Status
from fencepost.events.kinds import JOB_TIMEDOUT
from tests.actors.kit import EVERYWHERE, LIMIT_S, NATIVELY, VIRTUALLY, Way, adds_up
from tests.actors.scripted import ScriptedDriver, timed_out_us

MOCK_TIMEOUT_S = 0.2
NATIVE_TIMEOUT_S = 0.002


@VIRTUALLY
def test_a_job_that_nobody_completes_is_reset_when_its_time_is_up(way: Way) -> None:
    """7: drm_sched_basic_timeout."""
    with way.runtime() as rt:
        driver = ScriptedDriver()
        scheduler = rt.scheduler(driver, timeout_s=MOCK_TIMEOUT_S)
        job = scheduler.entity().submit()
        assert job.scheduled.wait(1.0)
        assert not job.finished.wait(MOCK_TIMEOUT_S / 2)
        assert driver.asked == []
        # To the nanosecond: a moment before it is up, and at it.
        rt.world.sleep_until(199_999_999)
        assert not job.finished.signaled
        assert job.finished.wait(MOCK_TIMEOUT_S)
        assert job.finished.timestamp_ns == 200_000_000
        assert job.finished.error == -errno.ETIMEDOUT
        assert timed_out_us(driver) == [200_000]
        assert rt.events is not None
        assert [event[0] for event in rt.events.of(JOB_TIMEDOUT)] == [200_000_000]
        assert scheduler.domain is not None
        (record,) = scheduler.domain.records
        assert (record.status, record.begin_ns) == (Status.RESET, 200_000_000)
    assert adds_up(rt)


@NATIVELY
def test_a_job_that_nobody_completes_is_reset_and_not_early(way: Way) -> None:
    """7: drm_sched_basic_timeout."""
    with way.runtime() as rt:
        driver = ScriptedDriver()
        job = rt.scheduler(driver, timeout_s=NATIVE_TIMEOUT_S).entity().submit()
        assert job.finished.wait(LIMIT_S)
        assert job.finished.error == -errno.ETIMEDOUT
        assert job.finished.timestamp_ns - job.scheduled.timestamp_ns >= NATIVE_TIMEOUT_S * 1e9
        assert [seqno for seqno, _ in driver.asked] == [1]
    assert adds_up(rt)


@EVERYWHERE
def test_a_job_whose_reset_is_skipped_goes_on(way: Way) -> None:
    """8: drm_sched_skip_reset."""
    timeout_s = MOCK_TIMEOUT_S if way.world == "virtual" else NATIVE_TIMEOUT_S
    with way.runtime() as rt:
        driver = ScriptedDriver()
        scheduler = rt.scheduler(driver, timeout_s=timeout_s)
        entity = scheduler.entity()
        job = entity.job()
        driver.spare(job)
        job.arm()
        job.push()
        assert job.scheduled.wait(LIMIT_S)
        assert not job.finished.wait(2.5 * timeout_s)
        # Natively the report may be late by however much the machine likes.
        while not driver.asked:
            rt.world.sleep(timeout_s)
        if way.world == "virtual":
            assert timed_out_us(driver) == [200_000, 400_000]
        assert driver.advance(1) == 1
        assert job.finished.wait(LIMIT_S)
        assert job.finished.error == 0
        assert scheduler.domain is not None
        assert scheduler.domain.count(Status.RESET) == 0
    assert adds_up(rt)
    assert scheduler.domain.count(Status.NO_HANG) >= len(driver.asked)
