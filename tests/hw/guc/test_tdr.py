"""The recovery of a queue, in the order of its steps."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from fencepost import Runtime
from fencepost.actors import Job, Status
from fencepost.hw import Batch
from fencepost.hw.guc import Bit, Guc, GucQueue
from fencepost.hw.guc.faults import Match
from fencepost.hw.guc.messages import ContextReset, DeregisterDone
from fencepost.policies import Health, Priority
from tests.hw.guc.kit import disabled, enabled, ends, errors, quiet, said, wire


@pytest.fixture
def guc() -> Guc:
    return Guc({"rcs": 1})


def statuses(guc: Guc) -> list[str]:
    return [record.status.value for record in guc.domain.records]


def armed(queue: GucQueue, break_: Callable[[Job], None], duration_us: float = 10) -> Job:
    """Submit a job with which something is wrong."""
    job = queue.entity.job(duration_us=duration_us)
    job.arm()
    break_(job)
    job.push()
    return job


def test_a_job_that_hangs_ends_with_its_error_and_those_behind_it_are_cancelled(rt: Runtime, guc: Guc) -> None:
    queue, other = guc.queue(rt, "rcs0", timeout_s=0.1), guc.queue(rt, "rcs0", timeout_s=0.1)
    done, hung, behind = queue.entity.submit(1_000), queue.entity.submit(), queue.entity.submit(10)
    assert errors(done, hung, behind) == [0, -errno.ETIME, -errno.ECANCELED]
    assert ends(done, hung, behind) == [1, 101, 101]
    assert errors(other.entity.submit(10)) == [0]
    assert queue.state.bits == Bit.BANNED | Bit.DESTROYED
    assert statuses(guc) == ["reset"]
    assert (queue.entity.status().health, other.entity.status().health) == (Health.GUILTY, Health.HEALTHY)
    assert guc.domain.snapshot is not None
    with pytest.raises(OSError, match="banned"):
        queue.entity.submit(1)
    quiet(guc)


def test_the_context_is_off_its_engine_before_any_fence_signals(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0", timeout_s=0.1)
    hung = queue.entity.submit()
    rt.world.sleep(0.05)
    parent = hung.finished.parent
    assert parent is not None
    seen: list[list[str]] = []
    parent.add_callback(lambda _: seen.append(wire(rt, queue, "g2h")))
    assert errors(hung) == [-errno.ETIME]
    assert seen[0][-1] == "ScheduleDone"
    assert wire(rt, queue)[-2:] == ["ScheduleDisable", "Deregister"]


def test_a_job_that_had_to_wait_for_others_goes_on(rt: Runtime, guc: Guc) -> None:
    """It shares the engine with another queue, so that its time is up long before it has executed so long."""
    queue, other = guc.queue(rt, "rcs0", timeout_s=0.1), guc.queue(rt, "rcs0")
    other.entity.submit(500_000)
    job = queue.entity.submit(90_000)
    assert errors(job) == [0]
    assert statuses(guc) == ["no hang"]
    assert wire(rt, queue)[-2:] == ["ScheduleDisable", "ScheduleEnable"]
    quiet(guc)


def test_the_clock_of_a_context_may_be_a_little_slow(rt: Runtime, guc: Guc) -> None:
    """Disabled after 99.9 ms of its time: within the slack of 5 percent that is the whole time-out."""
    queue, other = guc.queue(rt, "rcs0", timeout_s=0.1), guc.queue(rt, "rcs0")
    other.entity.submit(2_000)
    assert errors(queue.entity.submit(200_000)) == [-errno.ETIME]


def test_a_job_that_does_not_even_start_is_let_go_on_twice(rt: Runtime, guc: Guc) -> None:
    important = guc.queue(rt, "rcs0", priority=Priority.HIGH)
    queue = guc.queue(rt, "rcs0", timeout_s=0.1)
    important.entity.submit()
    rt.world.sleep(0.001)
    job = queue.entity.submit(10)
    assert ends(job) == [301]
    assert statuses(guc) == ["no hang", "no hang", "reset"]
    quiet(guc)


def test_a_suspended_job_is_let_go_on_for_ever(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0", timeout_s=0.1)
    assert queue.suspend().wait(1)
    job = queue.entity.submit(10)
    rt.world.sleep(1.05)
    assert statuses(guc) == ["no hang"] * 10
    queue.resume()
    assert errors(job) == [0]


def test_a_job_that_has_signalled_is_no_hang_and_is_freed(rt: Runtime, guc: Guc) -> None:
    """T1-3: the time-out is up in the nanosecond in which the job ends."""
    queue = guc.queue(rt, "rcs0", timeout_s=0.001)
    job = queue.entity.submit(1_000)
    assert errors(job) == [0]
    rt.world.sleep(0.1)
    assert Status.RESET.value not in statuses(guc)
    assert queue.entries == {}
    queue.close()
    assert queue.gone.wait(1)


def test_a_fault_ends_the_queue_at_once(rt: Runtime, guc: Guc) -> None:
    queue, other = guc.queue(rt, "rcs0", timeout_s=5), guc.queue(rt, "rcs0", timeout_s=5)
    faulty = armed(queue, guc.faults.hang)
    innocent = other.entity.submit(5_000)
    rt.world.sleep(0.002)
    guc.faults.fault(queue)
    assert errors(faulty) == [-errno.EIO]
    assert ends(faulty, innocent) == [2, 7]
    assert queue.state.has(Bit.RESET)
    quiet(guc)


def test_a_job_that_faults_ends_its_queue(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0", timeout_s=5)
    good, faulty = queue.entity.submit(100), armed(queue, guc.faults.page_fault)
    assert errors(good, faulty) == [0, -errno.EIO]


def test_nobody_is_blamed_for_a_fault_of_nobody_knows_whom(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0", timeout_s=5)
    job = queue.entity.submit(5_000)
    guc.faults.fault(None)
    assert errors(job) == [0]
    assert statuses(guc) == []


def test_an_engine_reset_costs_only_the_context_that_had_it(rt: Runtime, guc: Guc) -> None:
    queue, other = guc.queue(rt, "rcs0", timeout_s=5), guc.queue(rt, "rcs0", timeout_s=5)
    job, innocent = queue.entity.submit(1_000), other.entity.submit(1_000)
    rt.world.sleep(0.0005)
    assert guc.faults.reset_engine("rcs0")
    assert errors(job, innocent) == [-errno.EIO, 0]
    assert not guc.faults.reset_engine("rcs0")
    quiet(guc)


def test_a_hang_that_does_not_give_way_is_found_by_the_firmware(rt: Runtime, guc: Guc) -> None:
    """Asked to yield at the end of its quantum, at 1 ms; reset 640 ms later, long before its time is up."""
    queue, other = guc.queue(rt, "rcs0", timeout_s=5), guc.queue(rt, "rcs0", timeout_s=5)
    hung = armed(queue, guc.faults.hang)
    innocent = other.entity.submit(1_000)
    assert ends(hung, innocent) == [641, 642]
    assert errors(hung, innocent) == [-errno.EIO, 0]
    quiet(guc)


def test_a_reset_during_the_check_starts_no_other_cleanup(rt: Runtime, guc: Guc) -> None:
    """T1-4: the context does not yield to the disable of the check, so that the firmware resets it meanwhile."""
    queue = guc.queue(rt, "rcs0", timeout_s=0.1)
    hung = armed(queue, guc.faults.hang)
    rt.world.sleep(0.2)
    assert queue.state.has(Bit.CHECK_TIMEOUT)
    assert errors(hung) == [-errno.EIO]
    assert ends(hung) == [740]
    rt.world.sleep(1)
    assert statuses(guc) == ["reset"]
    assert wire(rt, queue, "g2h")[1:] == ["ContextReset", "ScheduleDone", "DeregisterDone"]
    quiet(guc)


def test_a_firmware_that_is_known_to_be_down_is_not_waited_for(rt: Runtime, guc: Guc) -> None:
    """T1-9."""
    queue = guc.queue(rt, "rcs0", timeout_s=0.1)
    job = queue.entity.submit(50_000)
    rt.world.sleep(0.01)
    guc.unload()
    assert ends(job) == [10]
    assert queue.gone.wait(1)
    with pytest.raises(OSError, match="takes no queues any more") as refusal:
        guc.queue(rt, "rcs0")
    assert refusal.value.errno == errno.ENODEV


def test_a_firmware_that_dies_is_waited_for_once(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0", timeout_s=0.1)
    job = queue.entity.submit()
    rt.world.sleep(0.01)
    guc.faults.kill_firmware()
    assert ends(job) == [5_100]
    assert errors(job) == [-errno.ETIME]
    assert statuses(guc) == ["no hang", "reset", "reset"]
    quiet(guc)


def test_an_answer_to_the_enable_at_the_end_that_does_not_come_costs_the_queue(rt: Runtime, guc: Guc) -> None:
    queue, other = guc.queue(rt, "rcs0", timeout_s=0.1), guc.queue(rt, "rcs0")
    other.entity.submit(200_000)
    job = queue.entity.submit(90_000)
    rt.world.sleep(0.05)
    guc.faults.drop(enabled)
    assert errors(job) == [0], "the firmware has enabled it, and only the answer is lost"
    assert queue.state.has(Bit.PENDING_TDR_EXIT)
    rt.world.sleep(6)
    assert queue.state.bits == Bit.BANNED
    assert statuses(guc) == ["no hang", "reset"]
    assert queue.entity.submit(10).finished.wait(1)
    assert (queue.entity.banned, queue.entity.status().health) == (True, Health.UNKNOWN)
    quiet(guc)


def test_a_job_of_the_kernel_has_the_device_reset_before_it_is_given_up(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0", priority=Priority.KERNEL, timeout_s=0.1)
    job = queue.entity.submit()
    assert errors(job) == [-errno.ETIME]
    assert statuses(guc) == ["no hang", "reset", "no hang", "reset", "reset"]
    quiet(guc)


def test_a_lost_deregistration_is_no_trouble_to_the_jobs(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0", timeout_s=0.1)
    guc.faults.drop(said(DeregisterDone))
    assert errors(queue.entity.submit()) == [-errno.ETIME]
    assert queue.state.has(Bit.EXTRA_REF)
    queue.close()
    assert not queue.gone.wait(1)
    guc.reset("a test")
    assert queue.gone.wait(1)
    quiet(guc)


def test_a_job_that_completes_while_its_context_is_disabled_is_complete(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0", timeout_s=0.1)
    job = queue.entity.job(duration_us=100_500, work=Batch(0))
    job.arm()
    job.push()
    assert errors(job) == [0]
    assert ends(job) == [100.5]
    assert statuses(guc) == ["no hang"]
    assert errors(queue.entity.submit(10)) == [0]
    quiet(guc)


@pytest.mark.parametrize("match", [enabled, disabled, said(ContextReset)])
def test_replies_that_come_twice_are_refused_the_second_time(rt: Runtime, guc: Guc, match: Match) -> None:
    guc.faults.duplicate(match)
    queue = guc.queue(rt, "rcs0", timeout_s=0.1)
    jobs = [queue.entity.submit(10), armed(queue, guc.faults.hang)]
    assert [bool(error) for error in errors(*jobs)] == [False, True]
    assert guc.firmware.violations == []
    assert len(guc.replies.protocol_errors) <= 1
