"""The driver and its firmware under search: a few tasks, many schedules."""

from __future__ import annotations

import errno

import pytest

from fencepost.actors import Runtime
from fencepost.hw import Batch
from fencepost.hw.guc import Bit, Guc
from tests.hw.guc.kit import quiet
from tests.searching import assert_clean, joined

LONG_S = 5.0
"""The bound of every wait for the firmware: if a schedule takes so long, a wake-up was lost on its way."""


def in_time(rt: Runtime, began_ns: int) -> None:
    assert rt.world.now_ns() - began_ns < LONG_S * 1e9, "somebody was not woken, and waited to the bound"


def test_two_holders_and_jobs_on_the_way() -> None:
    """T2-1, and T1-7: the answer is noted before those are woken who wait for it."""

    def model(rt: Runtime) -> None:
        guc = Guc({"rcs": 1})
        queue = guc.queue(rt, "rcs0")
        began_ns = rt.world.now_ns()
        job = queue.entity.submit(10)

        def hold() -> None:
            assert queue.suspend().wait()
            assert not queue.state.has(Bit.PENDING_DISABLE)
            queue.resume()

        joined(rt.spawn(hold), rt.spawn(hold))
        job.finished.wait()
        in_time(rt, began_ns)
        assert job.finished.error == 0
        quiet(guc)

    assert_clean(model, schedules=60)


def test_a_kill_while_the_suspension_waits() -> None:
    """T1-5."""

    def model(rt: Runtime) -> None:
        guc = Guc({"rcs": 1})
        queue = guc.queue(rt, "rcs0")
        began_ns = rt.world.now_ns()
        job = queue.entity.submit()
        job.scheduled.wait()

        def hold() -> None:
            assert queue.suspend().wait()

        joined(rt.spawn(hold), rt.spawn(queue.kill))
        job.finished.wait()
        in_time(rt, began_ns)
        assert job.finished.error == -errno.ECANCELED
        quiet(guc)

    assert_clean(model, schedules=60)


def test_a_close_while_another_disable_is_pending() -> None:
    """The destroyer waits for that one to be answered; its answer must not be taken for the destroyer's own."""

    def model(rt: Runtime) -> None:
        guc = Guc({"rcs": 1})
        queue = guc.queue(rt, "rcs0")
        began_ns = rt.world.now_ns()
        queue.entity.submit(1).finished.wait()
        joined(rt.spawn(lambda: queue.suspend().wait()), rt.spawn(queue.close))
        queue.gone.wait()
        in_time(rt, began_ns)
        quiet(guc)

    assert_clean(model, schedules=60)


@pytest.mark.parametrize("generations", [True, False])
def test_a_reset_at_any_moment(generations: bool) -> None:  # noqa: FBT001 - a parameter
    """T1-1, T1-2: requests and replies are under way; the number of a closed queue is used again."""

    def model(rt: Runtime) -> None:
        guc = Guc({"rcs": 1}, generations=generations)
        old = guc.queue(rt, "rcs0")
        began_ns = rt.world.now_ns()
        old.entity.submit(1).finished.wait()

        def replace() -> None:
            old.close()
            old.gone.wait()
            new = guc.queue(rt, "rcs0")
            job = new.entity.submit(1)
            job.finished.wait()
            assert job.finished.error in (0, -errno.ETIME)

        joined(rt.spawn(replace), rt.spawn(lambda: guc.reset("a test")))
        in_time(rt, began_ns)
        assert guc.firmware.violations == []

    assert_clean(model, schedules=60)


def test_a_queue_that_is_made_while_the_device_is_stopped() -> None:
    """T1-6: nothing of it goes to the firmware before the end of the reset, and then all, in order."""

    def model(rt: Runtime) -> None:
        guc = Guc({"rcs": 1})
        guc.queue(rt, "rcs0")
        began_ns = rt.world.now_ns()

        def client() -> None:
            entity = guc.queue(rt, "rcs0").entity
            jobs = [entity.submit(1), entity.submit(1)]
            for job in jobs:
                job.finished.wait()
            assert [job.finished.error for job in jobs] == [0, 0]

        joined(rt.spawn(client), rt.spawn(lambda: guc.reset("a test", blame=False)))
        in_time(rt, began_ns)
        assert guc.firmware.violations == []

    assert_clean(model, schedules=60)


@pytest.mark.parametrize("timers", ["never", "free"])
def test_a_job_that_ends_as_its_time_is_up(timers: str) -> None:
    """T1-3: it completes, or it is ended; either way it is freed, and the queue can be closed."""

    def model(rt: Runtime) -> None:
        guc = Guc({"rcs": 1})
        queue = guc.queue(rt, "rcs0", timeout_s=0.001)
        job = queue.entity.submit(1_000, work=Batch(0))
        job.finished.wait()
        assert job.finished.error in (0, -errno.ETIME)
        queue.close()
        queue.gone.wait()
        assert queue.entries == {}
        assert guc.firmware.violations == []

    assert_clean(model, schedules=80, timers=timers)


def test_a_fault_while_the_time_is_checked() -> None:
    """T1-4: the recovery has disabled the context to look at its time; the firmware says that it was reset."""

    def model(rt: Runtime) -> None:
        guc = Guc({"rcs": 1}, preempt_timeout_us=100)
        queue = guc.queue(rt, "rcs0", timeout_s=0.001)
        job = queue.entity.job(work=Batch(0))
        job.arm()
        guc.faults.hang(job)
        job.push()

        def fault() -> None:
            rt.world.sleep(0.001)
            guc.faults.fault(queue)

        joined(rt.spawn(fault))
        job.finished.wait()
        assert job.finished.error == -errno.EIO
        rt.world.sleep(1)
        assert queue.state.has(Bit.BANNED)
        assert [record.status.value for record in guc.domain.records].count("reset") == 1
        quiet(guc)

    assert_clean(model, schedules=60)


def test_a_job_that_ends_just_before_a_reset_runs_once() -> None:
    """Its number is noted before anybody can take it for incomplete: the replay after the reset leaves it out."""

    def model(rt: Runtime) -> None:
        guc = Guc({"rcs": 1})
        job = guc.queue(rt, "rcs0").entity.submit(10)

        def reset() -> None:
            rt.world.sleep(10e-6)
            guc.reset("a test", blame=False)

        joined(rt.spawn(reset))
        job.finished.wait()
        rt.world.sleep(1)
        assert guc.statistics().engines["rcs0"].jobs == 1

    assert_clean(model, schedules=400)
