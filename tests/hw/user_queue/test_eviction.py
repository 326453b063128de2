"""The memory of a process is wanted by others: its queues go, its fence signals, they come back."""

from __future__ import annotations

import errno
from collections.abc import Callable

from fencepost import Runtime
from fencepost.fences import Fence
from fencepost.hw.user_queue import Mes, QueueState
from tests.hw.user_queue.kit import packet, world_us

Stretches = Callable[[], list[tuple[str, str, int, int]]]


def test_the_fence_signals_when_all_queues_are_off_and_they_come_back_after_a_while(
    rt: Runtime, stretches: Stretches
) -> None:
    mes = Mes(rt, {"ccs": 2}, preempt_us=10, backoff_us=100)
    process, other = mes.process("a"), mes.process("b")
    queues = [process.queue("ccs0"), process.queue("ccs1")]
    queues[0].submit(packet(50, preempt_us=30))
    queues[1].submit(packet(50))
    rt.world.sleep(5e-6)
    fence = process.evict()
    assert process.evict() is fence
    fence.wait()
    assert (fence.error, world_us(rt)) == (0, 30)
    assert {queue.state for queue in queues} == {QueueState.PREEMPTED}
    alone = other.queue("ccs0")
    alone.submit(packet(1))
    alone.fence().wait()
    for queue in queues:
        queue.fence().wait()
    assert stretches() == [
        ("ccs1", "a", 0, 10),
        ("ccs0", "a", 0, 30),
        ("ccs0", "b", 30, 31),
        ("ccs0", "a", 130, 150),
        ("ccs1", "a", 130, 170),
    ]


def test_nothing_happens_until_somebody_waits(rt: Runtime) -> None:
    process = Mes(rt, {"ccs": 1}).process("a")
    queue = process.queue("ccs")
    queue.submit(packet(5))
    queue.fence().wait()
    rt.world.sleep(1)
    assert (process.eviction_fence.signaled, queue.state) == (False, QueueState.MAPPED)


def test_the_next_fence_is_there_before_the_queues_run_again(rt: Runtime) -> None:
    told: list[tuple[Fence, QueueState]] = []
    mes = Mes(rt, {"ccs": 1}, backoff_us=100)
    process = mes.process("a", lambda fence: told.append((fence, queue.state)))
    queue = process.queue("ccs")
    first = process.evict()
    first.wait()
    rt.world.sleep(1e-3)
    assert told == [(process.eviction_fence, QueueState.PREEMPTED)]
    following = process.eviction_fence
    assert (following.context, following.seqno, following.signaled) == (first.context, first.seqno + 1, False)
    process.evict().wait()
    assert queue.state is QueueState.PREEMPTED


def test_packets_written_while_it_is_evicted_are_found_at_the_restore(rt: Runtime) -> None:
    process = Mes(rt, {"ccs": 1}, backoff_us=100).process("a")
    queue = process.queue("ccs")
    process.evict().wait()
    queue.submit(packet(5))
    queue.fence().wait()
    assert world_us(rt) == 105


def test_a_queue_that_is_made_meanwhile_is_in_step(rt: Runtime) -> None:
    process = Mes(rt, {"ccs": 1}, backoff_us=100).process("a")
    process.evict().wait()
    queue = process.queue("ccs")
    queue.submit(packet(5))
    rt.world.sleep(50e-6)
    assert queue.state is QueueState.PREEMPTED
    queue.fence().wait()
    assert world_us(rt) == 105


def test_holds_are_counted_with_evictions(rt: Runtime) -> None:
    process = Mes(rt, {"ccs": 1}, backoff_us=100).process("a")
    queue = process.queue("ccs")
    queue.submit(packet(5))
    process.hold().wait()
    process.evict().wait()
    rt.world.sleep(1e-3)
    assert queue.state is QueueState.PREEMPTED
    process.release()
    queue.fence().wait()
    assert world_us(rt) == 1005


def test_leaving_the_runtime_ends_an_eviction_and_those_that_come_too_late() -> None:
    with Runtime(world="virtual") as rt:
        process = Mes(rt, {"ccs": 1}).process("a")
        process.queue("ccs").submit(packet(None, preempt_us=0))
        rt.world.sleep(1e-6)
        fence = process.evict()
    assert fence.error == -errno.ENOENT
    with Runtime(world="virtual") as rt:
        process = Mes(rt, {"ccs": 1}).process("a")
    fence = process.evict()
    assert (fence.signaled, fence.error) == (True, -errno.ENOENT)


def test_a_queue_destroyed_while_it_is_taken_off_does_not_hold_the_eviction_up(rt: Runtime) -> None:
    process = Mes(rt, {"ccs": 1}).process("a")
    queue = process.queue("ccs")
    queue.submit(packet(1_000, preempt_us=50))
    rt.world.sleep(10e-6)
    fence, gone = process.evict(), queue.remove(at_once=True)
    assert fence.wait()
    assert gone.wait(0)
    assert world_us(rt) == 11
