"""Time-outs under search: what races with a recovery, a message, or the end of a scheduler."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial

import pytest

from fencepost.actors import Job, Recovery, Runtime, Status
from fencepost.actors.procedure import Steps
from fencepost.actors.static_message import StaticMessage
from tests.actors.kit import WORKERS, carried_by
from tests.actors.scripted import TIMEOUT_S, TIMEOUT_US, ScriptedDriver, lose, reset
from tests.searching import assert_clean, joined


def pairs_of(entry: str, log: list[object]) -> list[int]:
    """Tell the numbers of the jobs that a driver's log has beside a word."""
    return [one[1] for one in log if isinstance(one, tuple) and one[0] == entry]


@WORKERS
def test_a_job_completes_or_is_reset_and_is_freed_once(workers: int) -> None:
    """Its end and its time-out come at the same time (B11, B28); whoever is first, the next job runs."""

    def model(rt: Runtime) -> None:
        carried_by(rt, workers)
        driver = ScriptedDriver(reset)
        entity = rt.scheduler(driver, timeout_s=TIMEOUT_S, credit_limit=2).entity()
        jobs = [entity.submit(TIMEOUT_US), entity.submit(1)]
        for job in jobs:
            job.finished.wait()
        assert jobs[0].finished.error in (0, -errno.EIO)
        assert jobs[1].finished.error == 0
        assert [seqno for seqno, _ in driver.asked] in ([], [1])
        rt.world.sleep(1)
        assert pairs_of("freed", driver.log) == [1, 2]

    assert_clean(model, schedules=150, timers="slack20")


@WORKERS
def test_no_report_comes_before_its_time(workers: int) -> None:
    def model(rt: Runtime) -> None:
        carried_by(rt, workers)
        driver = ScriptedDriver(reset)
        scheduler = rt.scheduler(driver, timeout_s=TIMEOUT_S, credit_limit=2)
        entity = scheduler.entity()
        jobs = [entity.submit(10), entity.submit()]
        change = rt.spawn(partial(scheduler.set_timeout, 2 * TIMEOUT_S))
        jobs[1].finished.wait()
        change.join()
        ((seqno, when_us),) = driver.asked
        assert seqno == 2
        assert when_us >= TIMEOUT_US + 10

    assert_clean(model, schedules=100)


@WORKERS
@pytest.mark.parametrize("end", ["kill", "fini", "unplug", "leave"])
def test_whatever_ends_beside_a_recovery_every_fence_signals(workers: int, end: str) -> None:
    def stop_all(job: Job, recovery: Recovery) -> Steps[Status]:
        yield from recovery.stop(recovery.schedulers)
        for pending in recovery.pending().values():
            for each in pending:
                lose(each, -errno.EIO if each is job else -errno.ECANCELED)
        return Status.RESET

    def model(rt: Runtime) -> None:
        carried_by(rt, workers)
        domain = rt.reset_domain()
        scheduler, other = (rt.scheduler(ScriptedDriver(stop_all), domain=domain) for _ in range(2))
        entity, elsewhere = scheduler.entity(), other.entity()
        jobs = [entity.submit(), entity.submit(1), elsewhere.submit()]
        jobs[0].scheduled.wait()
        ends: dict[str, Callable[[], object]] = {
            "kill": entity.kill,
            "fini": scheduler.fini,
            "unplug": domain.unplug,
            "leave": int,
        }
        tasks = [rt.spawn(scheduler.fault), rt.spawn(other.fault), rt.spawn(ends[end])]
        joined(*tasks)
        jobs[0].finished.wait()
        if end != "leave":
            jobs[1].finished.wait()

    assert_clean(model, schedules=60)


@WORKERS
def test_of_two_faults_and_a_stop_by_another_each_is_dealt_with(workers: int) -> None:
    """The handler has one recovery at a time, and gives back what it has stopped."""

    def model(rt: Runtime) -> None:
        carried_by(rt, workers)
        inside = [0]

        def alone(job: Job, recovery: Recovery) -> Steps[Status]:
            inside[0] += 1
            yield from recovery.stop(recovery.schedulers)
            assert inside == [1]
            inside[0] -= 1
            return reset(job, recovery)

        domain = rt.reset_domain()
        schedulers = [rt.scheduler(ScriptedDriver(alone), domain=domain) for _ in range(2)]
        entities = [scheduler.entity() for scheduler in schedulers]
        jobs = [entity.submit() for entity in entities]
        for job in jobs:
            job.scheduled.wait()
        joined(*(rt.spawn(scheduler.fault) for scheduler in schedulers))
        for job in jobs:
            job.finished.wait()
        for entity in entities:
            entity.submit(1).finished.wait()

    assert_clean(model, schedules=60)


@WORKERS
def test_a_message_is_processed_once_beside_a_recovery(workers: int) -> None:
    """T2-4, whatever the order of stop, send and start."""

    def model(rt: Runtime) -> None:
        carried_by(rt, workers)
        driver, resume = ScriptedDriver(reset), StaticMessage("RESUME")
        scheduler = rt.scheduler(driver, domain=rt.reset_domain())
        entity = scheduler.entity()
        job = entity.submit()
        job.scheduled.wait()
        joined(rt.spawn(scheduler.fault), rt.spawn(partial(scheduler.send, resume)))
        job.finished.wait()
        entity.submit(1).finished.wait()
        rt.world.sleep(1)
        assert driver.log.count(resume) == 1
        assert not resume.queued

    assert_clean(model, schedules=100)


@WORKERS
def test_a_timer_that_is_suspended_for_a_while_reports_afterwards(workers: int) -> None:
    def model(rt: Runtime) -> None:
        carried_by(rt, workers)
        driver = ScriptedDriver(reset)
        scheduler = rt.scheduler(driver, timeout_s=TIMEOUT_S)
        resumed_us: list[float] = []

        def pause() -> None:
            left_s = scheduler.suspend_timeout()
            rt.world.sleep(TIMEOUT_S * 3)
            resumed_us.append(rt.world.now_ns() / 1000)
            scheduler.resume_timeout(left_s)

        task = rt.spawn(pause)
        job = scheduler.entity().submit()
        job.finished.wait()
        task.join()
        ((_, when_us),) = driver.asked
        assert when_us >= resumed_us[0]

    assert_clean(model, schedules=100)
