"""Who finds out that a queue hangs, and what becomes of it. In virtual time."""

from __future__ import annotations

import errno

import pytest

from fencepost import Runtime
from fencepost.errors import Deadlock
from fencepost.fences import Compare, Fence, UserFence
from fencepost.hw.user_queue import Mes, Packet, QueueState, UserQueue, UserWrite
from tests.hw.user_queue.kit import made, packet, refused, world_us


def bad(**said: object) -> Packet:
    """Make a packet that neither ends nor gives way."""
    return packet(None, preempt_us=0, **said)


def assert_hung(queue: UserQueue, error: int = -errno.ETIME) -> None:
    assert (queue.state, queue.error) == (QueueState.HUNG, error)
    refused(-error, "takes nothing any more", lambda: queue.submit(packet()))


def test_nobody_notices_a_hang_unless_something_preempts_the_queue() -> None:
    with Runtime(world="virtual") as rt:
        (queue,) = made(Mes(rt, {"ccs": 1}), "a")
        queue.submit(bad())
        with pytest.raises(Deadlock, match="a protected"):
            queue.fence().wait()
        assert queue.state is QueueState.MAPPED


def test_a_queue_that_does_not_yield_in_time_is_reset_alone(rt: Runtime) -> None:
    hung, other = made(Mes(rt, {"ccs": 1}, quantum_us=10, preempt_timeout_us=50), "hung", "other")
    user = UserFence()
    hung.submit(bad(write=UserWrite(user, 1)), packet())
    fences = [hung.fence(1), hung.fence(2)]
    rt.world.sleep(1e-6)
    other.submit(packet(5))
    other.fence().wait()
    assert world_us(rt) == 65
    assert (other.fence().error, other.state) == (0, QueueState.MAPPED)
    assert [fence.error for fence in fences] == [-errno.ETIME, -errno.ECANCELED]
    refused(errno.EIO, "will not be written any more", lambda: user.wait(Compare.EQ, 1))
    assert_hung(hung)


def test_the_timer_of_a_fence_finds_a_hang_whether_anybody_waits_or_not(rt: Runtime) -> None:
    (queue,) = made(Mes(rt, {"ccs": 1}, hang_timeout_s=0.1), "a")
    queue.submit(bad())
    fence = queue.fence()
    rt.world.sleep(0.2)
    assert (fence.error, fence.timestamp_ns) == (-errno.ETIME, 100_000_000)
    assert_hung(queue)


def test_a_hold_finds_a_hang_and_goes_on_without_the_queue(rt: Runtime) -> None:
    mes = Mes(rt, {"ccs": 2}, preempt_timeout_us=50)
    process = mes.process("a")
    hung, sound = process.queue("ccs0"), process.queue("ccs1")
    hung.submit(bad())
    sound.submit(packet(1))
    rt.world.sleep(10e-6)
    process.hold().wait()
    assert world_us(rt) == 60
    assert_hung(hung)
    assert sound.state is QueueState.PREEMPTED


def test_a_destroy_finds_a_hang_and_nobody_after_it_pays(rt: Runtime) -> None:
    hung, innocent = made(Mes(rt, {"ccs": 1}, slots=1, preempt_timeout_us=50), "hung", "innocent")
    hung.submit(bad())
    fence = hung.fence()
    rt.world.sleep(1e-6)
    hung.destroy()
    assert (fence.error, hung.state) == (-errno.ETIME, QueueState.HUNG)
    innocent.submit(packet(3))
    innocent.fence().wait()
    assert (innocent.fence().error, world_us(rt)) == (0, 54)


def test_a_queue_that_is_destroyed_at_once_is_not_to_blame(rt: Runtime) -> None:
    told: list[int] = []
    queue = Mes(rt, {"ccs": 1}).process("a").queue("ccs", lost=told.append)
    queue.submit(bad())
    fence = queue.fence()
    rt.world.sleep(1e-6)
    queue.destroy(at_once=True)
    assert (fence.error, queue.state, told, world_us(rt)) == (-errno.ECANCELED, QueueState.UNMAPPED, [], 2)


def test_a_queue_that_waits_for_others_does_not_hang(rt: Runtime) -> None:
    """For an engine, for a slot, for a fence, for the driver that holds it."""
    mes = Mes(rt, {"ccs": 1}, slots=2, quantum_us=0, hang_timeout_s=1e-3)
    outside = Fence(name="outside")
    engine, slot, fence, held = made(mes, "engine", "slot", "fence", "held")
    for _ in range(6):
        engine.submit(packet(900))
    held.process.hold()
    for queue, said in ((slot, {}), (fence, {"waits": (outside,)}), (held, {})):
        queue.submit(packet(10, **said))
    fences = [queue.fence() for queue in (engine, slot, fence, held)]
    rt.world.sleep(10e-3)
    outside.signal()
    held.process.release()
    assert all(each.wait(0.1) for each in fences)
    assert [each.error for each in fences] == [0, 0, 0, 0]


def test_a_packet_that_gives_way_again_and_again_hangs_when_it_has_executed_for_too_long(rt: Runtime) -> None:
    endless, other = made(Mes(rt, {"ccs": 1}, quantum_us=100, preempt_us=10, hang_timeout_s=1e-3), "endless", "other")
    endless.submit(packet(None))
    fence = endless.fence()
    for _ in range(20):
        other.submit(packet(150))
    other.fence().wait()
    assert other.fence().error == 0
    assert fence.wait(1)
    assert fence.error == -errno.ETIME


def test_a_fence_of_packets_that_were_never_published_does_not_stay_pending(rt: Runtime) -> None:
    (queue,) = made(Mes(rt, {"ccs": 1}, hang_timeout_s=0.1), "a")
    queue.write(packet())
    fence = queue.fence()
    assert fence.wait(1)
    assert fence.error == -errno.ETIME
    assert_hung(queue)


@pytest.mark.parametrize("mapped", [False, True])
def test_a_look_for_a_hang_finds_what_a_doorbell_has_not_told(rt: Runtime, mapped: bool) -> None:  # noqa: FBT001 - a parameter
    (queue,) = made(Mes(rt, {"ccs": 1}, hang_timeout_s=0.1), "a")
    rt.world.sleep(1e-3)
    if mapped:
        queue.submit(packet())
        queue.fence().wait()
    queue.write(packet(5))
    queue.publish()
    fence = queue.fence()
    assert fence.wait(1)
    assert (fence.error, fence.timestamp_ns) == (0, 101_005_000)


def test_a_fault_costs_the_queue_that_made_it(rt: Runtime) -> None:
    guilty, other = made(Mes(rt, {"ccs": 1}), "guilty", "other")
    guilty.fault(2)
    guilty.submit(packet(1), packet(1))
    first, second = guilty.fence(1), guilty.fence(2)
    other.submit(packet(1))
    other.fence().wait()
    second.wait()
    assert (first.error, second.error, other.fence().error) == (0, -errno.EIO, 0)
    assert_hung(guilty, -errno.EIO)


def test_an_engine_reset_costs_what_executes(rt: Runtime) -> None:
    mes = Mes(rt, {"ccs": 1})
    (queue,) = made(mes, "a")
    assert not mes.reset_engine("ccs0")
    queue.submit(packet(100))
    fence = queue.fence()
    rt.world.sleep(1e-6)
    assert mes.reset_engine("ccs0")
    fence.wait()
    assert_hung(queue)


def test_what_a_hung_queue_has_executed_is_known(rt: Runtime) -> None:
    (queue,) = made(Mes(rt, {"ccs": 1}, hang_timeout_s=1e-3), "a")
    queue.submit(packet(10), bad())
    queue.fence().wait()
    assert queue.mqd.executed_ns == 1_000_000


def test_the_owner_is_told_before_the_fences_are(rt: Runtime) -> None:
    told: list[tuple[int, bool]] = []
    queue = (
        Mes(rt, {"ccs": 1}, hang_timeout_s=1e-3)
        .process("a")
        .queue("ccs", lost=lambda error: told.append((error, fence.signaled)))
    )
    queue.submit(bad())
    fence = queue.fence()
    fence.wait()
    assert told == [(-errno.ETIME, False)]


def test_a_dead_queue_gives_its_doorbell_back_when_it_is_destroyed(rt: Runtime) -> None:
    process = Mes(rt, {"ccs": 1}, hang_timeout_s=1e-3).process("a")
    queue = process.queue("ccs")
    queue.submit(bad())
    queue.fence().wait()
    assert process.queue("ccs").doorbell_offset == 8
    queue.destroy()
    assert process.queue("ccs").doorbell_offset == 0
