"""The reset of the whole device: who survives, who is guilty, what is emitted again."""

from __future__ import annotations

import errno

import pytest

from fencepost import Runtime
from fencepost.actors import Status
from fencepost.events.kinds import BATCH
from fencepost.hw import Batch
from fencepost.hw.guc import Bit, Guc, GucQueue
from fencepost.hw.guc.messages import ContextId, DeregisterDone, ScheduleDone
from fencepost.policies import Health, Priority
from tests.hw.guc.kit import disabled, enabled, ends, errors, quiet, said, wire


@pytest.fixture
def guc() -> Guc:
    return Guc({"rcs": 1})


def executed(rt: Runtime, queue: GucQueue) -> list[tuple[int, float, float]]:
    """List what was executed of a queue: seqno, start and end in ms."""
    assert rt.events is not None
    context = queue.entity.context + 1
    return [
        (seqno, start_ns / 1e6, end_ns / 1e6)
        for _, _, _, _, at, seqno, start_ns, end_ns in rt.events.of(BATCH)
        if at == context
    ]


def test_what_has_not_started_runs_as_if_nothing_had_been(rt: Runtime, guc: Guc) -> None:
    running, waiting = guc.queue(rt, "rcs0"), guc.queue(rt, "rcs0")
    hit, first, second = running.entity.submit(5_000), waiting.entity.submit(1_000), waiting.entity.submit(1_000)
    rt.world.sleep(0.0005)
    parents = [job.finished.parent for job in (first, second)]
    guc.reset("a test")
    assert errors(hit, first, second) == [-errno.ETIME, 0, 0]
    assert ends(hit, first, second) == [0.5, 1.5, 2.5]
    assert [job.finished.parent for job in (first, second)] == parents
    assert all(parent is not None and parent.signaled for parent in parents)
    assert running.banned
    assert (running.entity.status().health, waiting.entity.status().health) == (Health.GUILTY, Health.HEALTHY)
    assert wire(rt, waiting)[-4:] == ["Register", "UpdatePolicies", "ScheduleEnable", "ScheduleContext"]
    quiet(guc)


def test_a_job_that_is_complete_is_not_emitted_again(rt: Runtime, guc: Guc) -> None:
    """The first of three is complete, and its queue stands still with the other two."""
    queue = guc.queue(rt, "rcs0", credit_limit=3)
    jobs = [queue.entity.submit(1_000, work=Batch(0)) for _ in range(3)]
    rt.world.sleep(0.0005)
    assert queue.suspend().wait(1)
    guc.reset("a test")
    rt.world.sleep(0.005)
    queue.resume()
    assert errors(*jobs) == [0, 0, 0]
    assert executed(rt, queue) == [(1, 0, 1), (2, 6, 7), (3, 7, 8)]
    quiet(guc)


def test_a_reset_that_comes_of_no_fault_makes_nobody_guilty(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0")
    job = queue.entity.submit(5_000)
    rt.world.sleep(0.001)
    guc.reset("loss of power", blame=False)
    assert errors(job) == [0]
    assert executed(rt, queue) == [(1, 0, 1), (1, 1, 6)]


def test_a_queue_that_a_reset_spares_has_its_full_time_again(rt: Runtime, guc: Guc) -> None:
    """Its context was reset a moment ago, so that a recovery was to look at it at once; but first comes the device."""
    queue = guc.queue(rt, "rcs0", timeout_s=5)
    job = queue.entity.submit(5_000)
    rt.world.sleep(0.001)
    assert guc.faults.reset_engine("rcs0")
    guc.reset("loss of power", blame=False)
    assert errors(job, queue.entity.submit(5_000)) == [0, 0]
    assert not queue.banned
    quiet(guc, protocol_errors=len(guc.replies.protocol_errors))


def test_the_kernel_is_never_guilty(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0", priority=Priority.KERNEL)
    job = queue.entity.submit(5_000)
    rt.world.sleep(0.001)
    guc.reset("a test")
    assert errors(job) == [0]


def test_who_has_been_through_too_many_resets_is_guilty(rt: Runtime, guc: Guc) -> None:
    important = guc.queue(rt, "rcs0", priority=Priority.KERNEL)
    important.entity.submit()
    rt.world.sleep(0.001)
    queue = guc.queue(rt, "rcs0")
    job = queue.entity.submit(10)
    for _ in range(2):
        guc.reset("a test")
        rt.world.sleep(0.01)
        assert not queue.banned
    guc.reset("a test")
    assert errors(job) == [-errno.ETIME]


def test_an_answer_from_before_the_reset_is_refused_after_it(rt: Runtime, guc: Guc) -> None:
    """T1-1: reset while an enable is pending; its answer arrives when all is over."""
    guc.faults.delay(enabled, 0.5)
    queue = guc.queue(rt, "rcs0")
    job = queue.entity.submit(1_000)
    rt.world.sleep(0.01)
    assert queue.state.has(Bit.PENDING_ENABLE)
    guc.reset("a test")
    rt.world.sleep(0.1)
    assert queue.state.bits == Bit(0)
    rt.world.sleep(1)
    assert queue.state.bits == Bit(0)
    assert errors(job, queue.entity.submit(10)) == [0, 0]
    quiet(guc, protocol_errors=1)


def test_who_waits_for_the_firmware_goes_on_when_a_reset_begins(rt: Runtime, guc: Guc) -> None:
    """T1-1: the recovery leaves its wait by `stopped`, not by the bit, which would take 5 s."""
    guc.faults.drop(enabled)
    queue = guc.queue(rt, "rcs0", timeout_s=0.1)
    job = queue.entity.submit()
    rt.world.sleep(0.2)
    assert queue.state.has(Bit.PENDING_ENABLE)
    guc.reset("a test")
    assert ends(job) == [200]
    quiet(guc)


@pytest.mark.parametrize("generations", [True, False])
def test_an_answer_for_the_queue_before_is_refused_by_the_one_that_has_its_number_now(
    rt: Runtime,
    generations: bool,  # noqa: FBT001 - a parameter
) -> None:
    """T1-2: destroyed by a reset, its number given to another; then the firmware's answer comes."""
    guc = Guc({"rcs": 1}, generations=generations)
    old = guc.queue(rt, "rcs0")
    errors(old.entity.submit(10))
    guc.faults.delay(said(DeregisterDone), 0.5)
    old.close()
    rt.world.sleep(0.01)
    guc.reset("a test")
    assert old.gone.wait(1)
    new = guc.queue(rt, "rcs0")
    assert new.context.number == old.context.number
    running = new.entity.submit(2_000_000)
    rt.world.sleep(1)
    assert new.state.bits == Bit.REGISTERED | Bit.ENABLED
    assert errors(running) == [0]
    quiet(guc, protocol_errors=1)


def test_an_answer_for_a_queue_that_is_gone_is_survived(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0")
    guc.replies.post(DeregisterDone(ContextId(77, 1)))
    guc.replies.post(ScheduleDone(queue.context.id, enabled=False))
    assert errors(queue.entity.submit(10)) == [0]
    quiet(guc, protocol_errors=2)


def test_a_queue_that_is_made_during_a_reset_runs_nothing_before_its_end(rt: Runtime, guc: Guc) -> None:
    """T1-6: the reset waits for a recovery that is under way, so that there is time for a new queue."""
    guc.faults.drop(disabled)
    first = guc.queue(rt, "rcs0")
    errors(first.entity.submit(10))
    guc.reset("a test")
    assert guc.stopped
    young = guc.queue(rt, "rcs0")
    jobs = [young.entity.submit(10), young.entity.submit(10)]
    assert wire(rt, young) == []
    assert errors(*jobs) == [0, 0]
    assert not guc.stopped
    assert [seqno for seqno, _, _ in executed(rt, young)] == [1, 2]
    quiet(guc)


def test_a_failed_engine_has_everything_reset(rt: Runtime, guc: Guc) -> None:
    queue, other = guc.queue(rt, "rcs0"), guc.queue(rt, "rcs0")
    job, innocent = queue.entity.submit(5_000), other.entity.submit(1_000)
    rt.world.sleep(0.0005)
    guc.faults.fail_engine("rcs0")
    assert errors(job, innocent) == [-errno.ETIME, 0]
    assert [record.status for record in guc.domain.records] == [Status.RESET, Status.RESET]
    quiet(guc)


def test_a_reset_that_fails_wedges_the_device(rt: Runtime, guc: Guc) -> None:
    queue, other = guc.queue(rt, "rcs0"), guc.queue(rt, "rcs0")
    jobs = [queue.entity.submit(5_000), other.entity.submit(1_000), other.entity.submit(1_000)]
    rt.world.sleep(0.0005)
    held = other.suspend()
    guc.faults.broken_reload = True
    guc.reset("a test")
    assert errors(*jobs) == [-errno.EIO] * 3
    assert held.wait(1)
    assert guc.wedged
    assert guc.domain.wedged
    for refused in (lambda: guc.queue(rt, "rcs0"), lambda: other.entity.submit(1)):
        with pytest.raises(OSError, match=r"no queues any more|wedged|banned"):
            refused()


def test_a_reset_that_is_under_way_is_not_begun_again(rt: Runtime, guc: Guc) -> None:
    guc.queue(rt, "rcs0")
    guc.reset("a test")
    guc.reset("another")
    rt.world.sleep(0.1)
    assert [record.status for record in guc.domain.records] == [Status.RESET]


def test_a_queue_in_the_middle_of_its_end_is_gone_by_a_reset(rt: Runtime, guc: Guc) -> None:
    guc.faults.drop(disabled)
    queue = guc.queue(rt, "rcs0")
    errors(queue.entity.submit(10))
    queue.close()
    assert not queue.gone.wait(1)
    guc.reset("a test")
    assert queue.gone.wait(1)
    assert guc.queues == ()


def test_a_queue_whose_requests_are_not_answered_is_forgotten_by_a_reset(rt: Runtime, guc: Guc) -> None:
    guc.faults.drop(enabled)
    queue = guc.queue(rt, "rcs0")
    errors(queue.entity.submit(10))
    queue.close()
    assert not queue.gone.wait(4.9)
    assert queue.gone.wait(0.2)
    quiet(guc)
