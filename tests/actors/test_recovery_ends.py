"""What ends in the middle of a recovery, or because of one: in which order, and with which error."""

from __future__ import annotations

import errno

import pytest

from fencepost.actors import Job, Recovery, Runtime, Scheduler, Status
from fencepost.actors.procedure import Steps, Until, UntilSignaled
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.sync import WaitQueue
from tests.actors.kit import EVERYWHERE, LIMIT_S, VIRTUALLY, Way, adds_up, finished, settle
from tests.actors.scripted import TIMEOUT_S, TIMEOUT_US, ScriptedDriver, lose, reset


def test_a_recovery_comes_to_its_end_before_its_scheduler(rt: Runtime) -> None:
    def answer(_job: Job, _recovery: Recovery) -> Steps[Status]:
        yield Until(lambda: False, WaitQueue(), 0.05)
        return Status.NO_HANG

    driver = ScriptedDriver(answer)
    scheduler = rt.scheduler(driver, timeout_s=TIMEOUT_S)
    job = scheduler.entity().submit()
    assert not job.finished.wait(1.1 * TIMEOUT_S)
    assert scheduler.fini()
    assert (job.finished.error, job.finished.timestamp_ns) == (-errno.ECANCELED, 150_000_000)
    assert scheduler.fini()


@VIRTUALLY
def test_a_runtime_is_left_in_the_middle_of_a_recovery_that_never_ends(way: Way) -> None:
    closed: list[str] = []

    def answer(_job: Job, recovery: Recovery) -> Steps[Status]:
        try:
            yield from recovery.stop(recovery.schedulers)
            yield Until(lambda: False, WaitQueue())
        finally:
            closed.append("closed")
        return Status.RESET

    with way.runtime() as rt:
        domain = rt.reset_domain()
        schedulers = [rt.scheduler(ScriptedDriver(answer), domain=domain, timeout_s=TIMEOUT_S) for _ in range(3)]
        entities = [scheduler.entity() for scheduler in schedulers]
        jobs = [entity.submit() for entity in entities for _ in range(3)]
        rt.world.sleep(2 * TIMEOUT_S)
    assert closed == ["closed"]
    assert all(job.finished.signaled for job in jobs)
    assert {job.finished.error for job in jobs} == {-errno.ENODEV, -errno.ESRCH}
    assert adds_up(rt)


@EVERYWHERE
def test_a_killed_entity_is_recalled_during_a_recovery(way: Way) -> None:
    """Whoever kills it does not wait for the recovery; what is queued ends behind what is on the hardware."""
    goes_on: list[Fence] = []

    def answer(job: Job, recovery: Recovery) -> Steps[Status]:
        yield UntilSignaled(goes_on[0])
        return reset(job, recovery)

    with way.runtime() as rt:
        goes_on.append(Fence())
        driver = ScriptedDriver(answer)
        entity = rt.scheduler(driver, timeout_s=0.001).entity()
        jobs = [entity.submit() for _ in range(3)]
        while not driver.asked:
            rt.world.sleep(0.001)
        entity.kill()
        assert not any(job.finished.signaled for job in jobs)
        goes_on[0].signal()
        assert finished(jobs)
        assert [job.finished.error for job in jobs] == [-errno.EIO, -errno.ESRCH, -errno.ESRCH]
    assert adds_up(rt)


def test_jobs_of_a_banned_entity_end_behind_what_is_on_the_hardware(rt: Runtime) -> None:
    """One that is not run because of a ban may depend on what is: on the job before it, and on others of the ring."""

    def ban(job: Job, recovery: Recovery) -> Status:
        lose(job)
        assert recovery.blame(job)
        return Status.RESET

    driver = ScriptedDriver(ban)
    scheduler = rt.scheduler(driver, timeout_s=TIMEOUT_S, credit_limit=3)
    guilty, innocent = scheduler.entity(), scheduler.entity()
    bad = guilty.submit()
    settle(guilty, scheduler)
    running = [guilty.submit(0.5 * TIMEOUT_US), innocent.submit(0.25 * TIMEOUT_US)]
    settle(guilty, innocent, scheduler)
    queued = [guilty.submit(), guilty.submit()]
    assert finished([bad, *running, *queued])
    assert [job.finished.error for job in (bad, *running)] == [-errno.EIO, 0, 0]
    assert [job.finished.error for job in queued] == [-errno.ECANCELED] * 2
    assert [job.finished.timestamp_ns / 1000 for job in running] == [1.5 * TIMEOUT_US, 1.75 * TIMEOUT_US]
    assert [job.finished.timestamp_ns / 1000 for job in queued] == [1.75 * TIMEOUT_US] * 2
    assert driver.log[-4:] == [("freed", 2), ("freed", 1), ("freed", 3), ("freed", 4)]


@EVERYWHERE
def test_what_is_queued_on_a_finished_scheduler_ends(way: Way) -> None:
    """Also what waits for something, when that comes; and behind what was on the hardware, which ends newest first."""
    with way.runtime() as rt:
        scheduler: Scheduler = rt.scheduler(ScriptedDriver(), credit_limit=2)
        entity, blocker = scheduler.entity(), Fence()
        jobs = [entity.submit(), entity.submit(), entity.submit(), entity.submit(deps=[blocker])]
        ends: list[int] = []
        for number, job in enumerate(jobs):
            job.finished.add_callback(lambda _, number=number: ends.append(number))  # type: ignore[misc]
        assert jobs[1].scheduled.wait(LIMIT_S)
        assert scheduler.fini(LIMIT_S)
        assert finished(jobs[:3])
        blocker.signal()
        assert finished(jobs)
        assert {job.finished.error for job in jobs} == {-errno.ECANCELED}
        assert ends == [1, 0, 2, 3]
    assert adds_up(rt)


@EVERYWHERE
def test_whoever_sees_what_a_recovery_did_finds_the_record(way: Way) -> None:
    with way.runtime() as rt:
        domain = rt.reset_domain()
        scheduler = rt.scheduler(ScriptedDriver(reset), domain=domain)
        job, seen = scheduler.entity().submit(), list[int]()
        job.finished.add_callback(lambda _: seen.append(domain.count(Status.RESET)))
        assert job.scheduled.wait(LIMIT_S)
        scheduler.fault()
        assert job.finished.wait(LIMIT_S)
        domain.unplug()
    assert seen == [1]
    assert domain.count(Status.ENODEV) == 1


def test_nothing_new_is_made_on_a_device_that_is_gone() -> None:
    with Runtime(world="virtual") as runtime:
        domain = runtime.reset_domain("gpu")
        entity = runtime.scheduler(MockBackend(), domain=domain).entity()
        job = entity.submit()
        domain.unplug()
        job.finished.wait()
        assert domain.gone
        with pytest.raises(OSError, match="gpu is gone") as refused:
            runtime.scheduler(MockBackend(), domain=domain)
        assert refused.value.errno == errno.ENODEV
