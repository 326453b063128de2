"""SUSPEND and RESUME, with any number of holders."""

from __future__ import annotations

import random

import pytest

from fencepost import Runtime
from fencepost.actors import Steps
from fencepost.actors.messages import Queued
from fencepost.errors import ActorFailed, WrongState
from fencepost.hw.guc import Bit, Guc, GucQueue
from fencepost.hw.guc.suspension import Suspension
from fencepost.policies import Priority
from tests.hw.guc.kit import disabled, enabled, ends, quiet, wire


@pytest.fixture
def guc() -> Guc:
    return Guc({"rcs": 1})


def test_a_suspended_queue_runs_nothing_until_it_is_resumed(rt: Runtime, guc: Guc) -> None:
    queue, other = guc.queue(rt, "rcs0"), guc.queue(rt, "rcs0")
    job = queue.entity.submit(5_000)
    rt.world.sleep(0.00105)
    suspended = queue.suspend()
    assert suspended.wait(1)
    assert suspended.timestamp_ns == 1_100_000, "at the next point of preemption"
    assert ends(other.entity.submit(1_000)) == [2.1]
    rt.world.sleep_until(10_000_000)
    queue.resume()
    assert ends(job) == [13.9]
    quiet(guc)


def test_a_job_of_a_suspended_queue_is_only_written_into_the_ring(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0")
    assert queue.suspend().wait(1)
    job = queue.entity.submit(1_000)
    rt.world.sleep(0.005)
    assert wire(rt) == ["Register", "UpdatePolicies"]
    queue.resume()
    assert ends(job) == [6]
    assert wire(rt)[2:] == ["ScheduleEnable"]


def test_a_queue_runs_again_when_the_last_holder_lets_go(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0")
    job = queue.entity.submit(2_000)
    rt.world.sleep(0.001)
    assert queue.suspend().wait(1)
    assert queue.suspend().wait(1)
    queue.resume()
    rt.world.sleep(0.004)
    assert not job.finished.signaled
    queue.resume()
    assert ends(job) == [6]
    with pytest.raises(WrongState, match="resumed more often than it was suspended"):
        queue.resume()
    quiet(guc)


def test_a_suspend_that_is_on_its_way_coalesces_and_a_later_one_is_accepted(rt: Runtime, guc: Guc) -> None:
    """T2-2."""
    queue = guc.queue(rt, "rcs0")
    message = queue.suspension.suspend_message
    assert queue.scheduler.send(message)
    assert not queue.scheduler.send(message)
    rt.world.sleep(0.001)
    assert queue.scheduler.send(message)


def test_suspend_and_close_need_nothing_that_could_be_missing(rt: Runtime, guc: Guc) -> None:
    """T2-3: both messages exist as long as the queue; they are sent from where nothing can be allocated."""
    queue = guc.queue(rt, "rcs0")
    messages = queue.suspension.suspend_message, queue.suspension.resume_message
    for _ in range(3):
        assert queue.suspend().wait(1)
        queue.resume()
    assert (queue.suspension.suspend_message, queue.suspension.resume_message) == messages


def test_what_is_sent_while_stopped_is_processed_once(rt: Runtime) -> None:
    """T2-4: the resume comes while a recovery has the scheduler stopped, waiting for the answer to its disable."""
    processed: list[str] = []

    class Counted(Suspension):
        def resume_steps(self) -> Steps[None]:
            processed.append("RESUME")
            return super().resume_steps()

    class Queue(GucQueue):
        suspension_class = Counted

    class Device(Guc):
        queue_class = Queue

    guc = Device({"rcs": 1})
    queue, other = guc.queue(rt, "rcs0", timeout_s=0.01), guc.queue(rt, "rcs0")
    assert other.suspend().wait(1)
    guc.faults.delay(disabled, 0.005)
    job = queue.entity.submit(30_000)
    rt.world.sleep(0.011)
    assert queue.state.has(Bit.PENDING_DISABLE)
    queue.suspend()
    queue.resume()
    rt.world.sleep(0.001)
    assert processed == []
    rt.world.sleep(0.1)
    assert processed == ["RESUME"]
    assert job.finished.error < 0
    quiet(guc)


def test_a_killed_queue_leaves_nobody_waiting_for_its_suspension(rt: Runtime, guc: Guc) -> None:
    """T1-5: killed while the suspension waits; the late answer finds nobody, and changes nothing else."""
    guc.faults.delay(disabled, 0.5)
    queue = guc.queue(rt, "rcs0")
    job = queue.entity.submit(10_000)
    rt.world.sleep(0.001)
    suspended = queue.suspend()
    rt.world.sleep(0.001)
    assert not suspended.signaled
    queue.kill()
    assert suspended.signaled
    assert ends(job) == [501.0], "no fence before the context is known to be off its engine"
    rt.world.sleep(1)
    assert not queue.state.has(Bit.PENDING_DISABLE)
    quiet(guc)


def test_a_suspension_and_a_resume_at_once_cancel_out(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0")
    job = queue.entity.submit(3_000)
    rt.world.sleep(0.001)
    suspended = queue.suspend()
    queue.resume()
    assert suspended.wait(1)
    assert ends(job)[0] < 3.2
    assert not queue.state.has(Bit.SUSPENDED | Bit.PENDING_SUSPEND)
    quiet(guc)


def test_a_queue_runs_for_a_while_between_two_suspensions(rt: Runtime) -> None:
    guc = Guc({"rcs": 1}, minimum_run_s=0.01)
    queue = guc.queue(rt, "rcs0")
    queue.entity.submit(50_000)
    rt.world.sleep(0.001)
    assert queue.suspend().wait(1)
    queue.resume()
    rt.world.sleep(0.002)
    suspended = queue.suspend()
    assert suspended.wait(1)
    assert suspended.timestamp_ns == 11_000_000


def test_an_unanswered_resume_costs_the_queue(rt: Runtime, guc: Guc) -> None:
    queue, other = guc.queue(rt, "rcs0"), guc.queue(rt, "rcs0")
    job = queue.entity.submit(3_000)
    rt.world.sleep(0.001)
    assert queue.suspend().wait(1)
    guc.faults.drop(enabled)
    queue.resume()
    rt.world.sleep(6)
    assert queue.banned
    assert not other.banned
    assert job.finished.signaled
    quiet(guc)


def test_a_reset_finishes_a_suspension_that_waits_for_the_firmware(rt: Runtime, guc: Guc) -> None:
    guc.faults.drop(disabled)
    queue = guc.queue(rt, "rcs0")
    job = queue.entity.submit(3_000)
    rt.world.sleep(0.001)
    suspended = queue.suspend()
    rt.world.sleep(0.001)
    assert not suspended.signaled
    guc.reset("a test", blame=False)
    assert suspended.wait(1)
    rt.world.sleep(0.1)
    assert not job.finished.signaled
    queue.resume()
    assert job.finished.wait(1)
    quiet(guc)


@pytest.mark.parametrize("seed", range(20))
def test_a_hundred_messages_leave_at_most_one_request_outstanding(rt: Runtime, guc: Guc, seed: int) -> None:
    """T2-1: the firmware notes a request that comes while another is not answered, as a violation."""
    rng = random.Random(seed)
    queue = guc.queue(rt, "rcs0", timeout_s=10)
    guc.faults.delay(lambda _: rng.random() < 0.5, 0.003, count=30)
    holders = 0
    for _ in range(100):
        match rng.randrange(5):
            case 0:
                queue.suspend()
                holders += 1
            case 1 if holders:
                queue.resume()
                holders -= 1
            case 2:
                queue.set_policies(priority=rng.choice(list(Priority)))
            case 3:
                queue.entity.submit(rng.randrange(3_000))
            case _:
                rt.world.sleep(rng.random() / 300)
        bits = queue.state.bits
        assert not (bits & Bit.PENDING_ENABLE and bits & Bit.PENDING_DISABLE)
    rt.world.sleep(1)
    assert queue.state.has(Bit.SUSPENDED) == bool(holders)
    for _ in range(holders):
        queue.resume()
    job = queue.entity.submit(1)
    assert job.finished.wait(60)
    if seed % 2:
        queue.close()
        assert queue.gone.wait(10)
    quiet(guc)


def test_a_suspension_that_comes_too_late_has_nothing_to_wait_for() -> None:
    """Its scheduler has ended, and would never process it."""
    with Runtime("virtual") as rt:
        guc = Guc({"rcs": 1})
        queue = guc.queue(rt, "rcs0")
    assert queue.suspend().signaled


def test_a_suspension_that_is_cut_off_by_the_end_of_its_scheduler_ends() -> None:
    """It waits until the queue has run for a while; the scheduler's actor fails meanwhile."""
    runtime, guc = Runtime("virtual"), Guc({"rcs": 1}, minimum_run_s=1.0)

    def cut_off() -> None:
        with runtime as rt:
            queue = guc.queue(rt, "rcs0")
            queue.entity.submit(5_000)
            rt.world.sleep(0.001)
            assert queue.suspend().wait(1)
            queue.resume()
            rt.world.sleep(0.001)
            suspended = queue.suspend()
            rt.world.sleep(0.001)
            assert not suspended.signaled
            queue.scheduler.actor.post(Queued(None))  # type: ignore[arg-type]
            rt.world.sleep(0.001)
            assert suspended.signaled

    with pytest.raises(ActorFailed):
        cut_off()
