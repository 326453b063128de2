"""Whoever holds a process has its queues off the hardware, until they release it as often."""

from __future__ import annotations

from collections.abc import Callable

from fencepost import Runtime
from fencepost.hw.user_queue import Mes, QueueState
from tests.hw.user_queue.kit import packet, world_us

Stretches = Callable[[], list[tuple[str, str, int, int]]]


def test_the_gate_opens_when_all_queues_are_off_and_others_run_meanwhile(rt: Runtime, stretches: Stretches) -> None:
    mes = Mes(rt, {"ccs": 2}, preempt_us=10)
    process, other = mes.process("a"), mes.process("b")
    queues = [process.queue("ccs0"), process.queue("ccs1")]
    queues[0].submit(packet(50, preempt_us=30))
    queues[1].submit(packet(50))
    rt.world.sleep(5e-6)
    process.hold().wait()
    assert world_us(rt) == 30
    assert {queue.state for queue in queues} == {QueueState.PREEMPTED}
    alone = other.queue("ccs0")
    alone.submit(packet(1))
    alone.fence().wait()
    process.release()
    for queue in queues:
        queue.fence().wait()
    assert stretches() == [
        ("ccs1", "a", 0, 10),
        ("ccs0", "a", 0, 30),
        ("ccs0", "b", 30, 31),
        ("ccs0", "a", 31, 51),
        ("ccs1", "a", 31, 71),
    ]


def test_packets_written_meanwhile_are_found_at_the_release_in_old_queues_and_new_ones(rt: Runtime) -> None:
    process = Mes(rt, {"ccs": 1}).process("a")
    old = process.queue("ccs")
    process.hold().wait()
    new = process.queue("ccs")
    for queue in (old, new):
        queue.submit(packet(5))
    rt.world.sleep(50e-6)
    assert (old.state, new.state) == (QueueState.PREEMPTED, QueueState.PREEMPTED)
    process.release()
    for queue in (old, new):
        queue.fence().wait()
    assert world_us(rt) == 60


def test_holds_are_counted(rt: Runtime) -> None:
    process = Mes(rt, {"ccs": 1}).process("a")
    queue = process.queue("ccs")
    queue.submit(packet(5))
    process.hold().wait()
    process.hold().wait()
    process.release()
    rt.world.sleep(1e-3)
    assert queue.state is QueueState.PREEMPTED
    process.release()
    queue.fence().wait()
    assert world_us(rt) == 1005


def test_leaving_the_runtime_ends_a_hold_and_those_that_come_too_late() -> None:
    with Runtime(world="virtual") as rt:
        process = Mes(rt, {"ccs": 1}).process("a")
        process.queue("ccs").submit(packet(None, preempt_us=0))
        rt.world.sleep(1e-6)
        gate = process.hold()
    assert gate.is_open
    assert process.hold().is_open


def test_a_queue_destroyed_while_it_is_taken_off_does_not_hold_it_up(rt: Runtime) -> None:
    process = Mes(rt, {"ccs": 1}).process("a")
    queue = process.queue("ccs")
    queue.submit(packet(1_000, preempt_us=50))
    rt.world.sleep(10e-6)
    off, gone = process.hold(), queue.remove(at_once=True)
    assert off.wait()
    assert gone.wait(0)
    assert world_us(rt) == 11
