"""What each fence of a job says, for each way in which a job can end. A wait tells none of it."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from fencepost.actors import Job, Recovery, Runtime, Scheduler, Status
from fencepost.actors.procedure import Steps, Until
from fencepost.fences import Fence
from fencepost.hw import Gpu, MockBackend
from fencepost.policies import Health
from fencepost.sync import WaitQueue
from tests.actors.kit import LIMIT_S, ScriptedBackend, done_at_once, hand_out, refuse
from tests.actors.scripted import ScriptedDriver


def outcome(job: Job) -> tuple[int, bool, int]:
    """Tell the error of `scheduled`, whether there is a hardware fence, and the error of `finished`."""
    assert job.finished.wait(LIMIT_S)
    assert job.scheduled.signaled
    return job.scheduled.error, job.finished.parent is not None, job.finished.error


def run(rt: Runtime, work: Callable[[Job], Fence | None]) -> Job:
    return rt.scheduler(ScriptedBackend()).entity().submit(work=work)


@pytest.fixture
def rt() -> Runtime:
    return Runtime("virtual")


@pytest.mark.parametrize("error", [0, -errno.EIO])
def test_the_error_of_the_hardware_fence_is_that_of_the_job(rt: Runtime, error: int) -> None:
    with rt:
        fence = Fence()
        fence.signal(error)
        assert outcome(run(rt, hand_out(fence))) == (0, True, error)


def test_what_the_backend_refuses_ends_with_its_errno_and_no_hardware_fence(rt: Runtime) -> None:
    with rt:
        assert outcome(run(rt, refuse(OSError(errno.ENOSPC, "no space")))) == (0, False, -errno.ENOSPC)


def test_what_is_done_at_once_is_a_success(rt: Runtime) -> None:
    with rt:
        assert outcome(run(rt, done_at_once)) == (0, False, 0)


def test_a_job_of_a_guilty_entity_does_not_run(rt: Runtime) -> None:
    """One is queued when the entity is found guilty, with room on the hardware afterwards."""
    with rt:
        driver = ScriptedDriver(ban)
        entity = rt.scheduler(driver, timeout_s=0.001).entity()
        jobs = [entity.submit() for _ in range(2)]
        assert [outcome(job) for job in jobs] == [(0, True, -errno.ETIMEDOUT), (0, False, -errno.ECANCELED)]
        assert driver.log.count(2) == 0
        assert entity.status().health is Health.GUILTY


def ban(job: Job, recovery: Recovery) -> Status:
    recovery.ban(job.queue)
    return lose(job, recovery)


def lose(job: Job, _recovery: Recovery) -> Status:
    assert job.finished.parent is not None
    job.finished.parent.signal(-errno.ETIMEDOUT)
    return Status.RESET


def test_a_killed_job_was_never_handed_over(rt: Runtime) -> None:
    with rt:
        scheduler = rt.scheduler(MockBackend())
        scheduler.entity().submit(1)
        entity = scheduler.entity()
        job = entity.submit(1, deps=[never := Fence()])
        entity.kill()
        never.signal()
        assert outcome(job) == (0, False, -errno.ESRCH)


@pytest.mark.parametrize("error", [0, -errno.EIO])
def test_what_signals_during_a_recovery_keeps_its_error(rt: Runtime, error: int) -> None:
    """The second of two jobs on the hardware, while the driver waits for something else."""
    waiting = WaitQueue()

    def wait_a_little(job: Job, _recovery: Recovery) -> Steps[Status]:
        yield Until(lambda: False, waiting, timeout_s=0.001)
        return lose(job, _recovery)

    with rt:
        scheduler = rt.scheduler(ScriptedDriver(wait_a_little), timeout_s=0.001, credit_limit=2)
        entity = scheduler.entity()
        hung, other = (entity.submit() for _ in range(2))
        rt.world.sleep_until(1_500_000)
        assert other.finished.parent is not None
        other.finished.parent.signal(error)
        assert not other.finished.signaled
        assert (outcome(hung), outcome(other)) == ((0, True, -errno.ETIMEDOUT), (0, True, error))


def test_a_device_that_is_gone_is_told_by_its_jobs(rt: Runtime) -> None:
    with rt:
        scheduler = rt.scheduler(MockBackend(), timeout_s=1.0)
        job, queued = (scheduler.entity().submit() for _ in range(2))
        job.scheduled.wait()
        assert scheduler.domain is not None
        scheduler.domain.unplug()
        assert (outcome(job), outcome(queued)) == ((0, True, -errno.ENODEV), (0, False, -errno.ENODEV))


def test_the_end_of_a_scheduler_cancels_what_is_on_the_hardware(rt: Runtime) -> None:
    with rt:
        scheduler = rt.scheduler(MockBackend())
        entity = scheduler.entity()
        job = entity.submit()
        job.scheduled.wait()
        entity.kill()
        scheduler.fini()
        assert outcome(job) == (0, True, -errno.ECANCELED)


def mock(rt: Runtime) -> Scheduler:
    return rt.scheduler(MockBackend(), credit_limit=2, timeout_s=0.001)


def ring(rt: Runtime) -> Scheduler:
    return rt.scheduler(Gpu().ring("rcs0"), credit_limit=2, timeout_s=0.001)


@pytest.mark.parametrize(("made", "behind"), [(mock, 0), (ring, -errno.ECANCELED)])
def test_a_time_out_ends_as_the_driver_says(rt: Runtime, made: Callable[[Runtime], Scheduler], behind: int) -> None:
    """The mock device goes on behind the job that hung, as the kernel's does; a GPU takes the queue off."""
    with rt:
        entity = made(rt).entity()
        hung, next_one = entity.submit(), entity.submit(1)
        assert (outcome(hung), outcome(next_one)) == ((0, True, -errno.ETIMEDOUT), (0, True, behind))


def test_an_error_is_not_handed_on_to_dependants(rt: Runtime) -> None:
    """On the same hardware queue or another: what failed is as good as complete."""
    with rt:
        failing, same, other = (rt.scheduler(MockBackend(), timeout_s=0.001, credit_limit=2) for _ in range(3))
        hung = failing.entity().submit()
        jobs = [each.entity().submit(1, deps=[hung.finished]) for each in (failing, same, other)]
        assert outcome(hung)[2] == -errno.ETIMEDOUT
        assert [outcome(job)[2] for job in jobs] == [0, 0, 0]
