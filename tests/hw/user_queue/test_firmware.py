"""Doorbells and slots: what the firmware hears of, and whom it maps. In virtual time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost import Runtime
from fencepost.fences import Fence
from fencepost.hw.user_queue import Mes, Misfortune, QueueState
from fencepost.policies import Priority
from tests.hw.user_queue.kit import made, packet, world_us

Stretches = Callable[[], list[tuple[str, str, int, int]]]

ALL_LOST = Misfortune(lose=1.0)


def test_more_queues_than_slots_take_turns_of_a_quantum(rt: Runtime, stretches: Stretches) -> None:
    """Each has an engine of its own, so only the slots are scarce."""
    mes = Mes(rt, {"ccs": 3}, slots=2, quantum_us=10, preempt_us=1)
    queues = [mes.process(name).queue(f"ccs{place}") for place, name in enumerate("abc")]
    for queue in queues:
        queue.submit(packet(15))
    for queue in queues:
        queue.fence().wait()
    turns = sorted((start, client, end) for _, client, start, end in stretches())
    assert turns == [(0, "a", 10), (0, "b", 10), (10, "a", 15), (10, "c", 25), (15, "b", 20)]


def test_an_idle_queue_gives_its_slot_at_once(rt: Runtime) -> None:
    first, second = made(Mes(rt, {"ccs": 1}, slots=1), "a", "b")
    first.submit(packet(1))
    first.fence().wait()
    assert first.state is QueueState.MAPPED
    second.submit(packet(1))
    second.fence().wait()
    assert world_us(rt) == 2
    assert (first.state, second.state) == (QueueState.UNMAPPED, QueueState.MAPPED)


def test_a_queue_that_drains_gives_its_slot_before_its_quantum_is_over(rt: Runtime) -> None:
    first, second = made(Mes(rt, {"ccs": 1}, slots=1, quantum_us=0), "a", "b")
    first.submit(packet(30))
    rt.world.sleep(1e-6)
    second.submit(packet(5))
    second.fence().wait()
    assert world_us(rt) == 35


def test_a_queue_that_waits_for_a_fence_gives_its_slot(rt: Runtime) -> None:
    """Or the one whose fence it waits for would never get there."""
    first, second = made(Mes(rt, {"ccs": 1}, slots=1, quantum_us=0), "a", "b")
    outside = Fence(name="outside")
    second.submit(packet(5, waits=(outside,)))
    first.submit(packet(1, waits=(second.fence(),)))
    rt.world.timers.call_at(20_000, outside.signal)
    first.fence().wait()
    assert world_us(rt) == 26


def test_a_more_important_queue_takes_a_slot_at_the_next_point_of_preemption(rt: Runtime, stretches: Stretches) -> None:
    mes = Mes(rt, {"ccs": 2}, slots=1, preempt_us=4)
    low = mes.process("low").queue("ccs0", priority=Priority.LOW)
    high = mes.process("high").queue("ccs1", priority=Priority.HIGH)
    low.submit(packet(20))
    rt.world.sleep(6e-6)
    high.submit(packet(10))
    low.fence().wait()
    assert [(client, start, end) for _, client, start, end in stretches()] == [
        ("low", 0, 8),
        ("high", 8, 18),
        ("low", 18, 30),
    ]


def test_a_queue_that_becomes_more_important_while_it_waits_is_next(rt: Runtime, stretches: Stretches) -> None:
    holder, first, second = made(Mes(rt, {"ccs": 1}, slots=1, quantum_us=10, preempt_us=5), "holder", "first", "second")
    for queue in (holder, first, second):
        queue.submit(packet(20))
        rt.world.sleep(1e-6)
    second.set_priority(Priority.HIGH)
    for queue in (holder, first, second):
        queue.fence().wait()
    assert [client for _, client, _, _ in stretches()][:3] == ["holder", "second", "first"]


def test_a_lost_doorbell_is_found_by_the_next_poll(rt: Runtime) -> None:
    (queue,) = made(Mes(rt, {"ccs": 1}, poll_us=500, misfortune=ALL_LOST), "a")
    rt.world.sleep(1e-6)
    queue.submit(packet(10))
    queue.fence().wait()
    assert world_us(rt) == 1 + 500 + 10


def test_a_mapped_queue_never_loses_a_doorbell(rt: Runtime) -> None:
    (queue,) = made(Mes(rt, {"ccs": 1}, poll_us=500, misfortune=ALL_LOST), "a")
    for _ in range(3):
        queue.submit(packet(10))
        queue.fence().wait()
    assert world_us(rt) == 530 - 500, "it was new, and mapped when the firmware looked at it first"


def test_an_aggregated_doorbell_makes_good_for_a_lost_one_each_time(rt: Runtime) -> None:
    mes = Mes(rt, {"ccs": 1}, slots=1, poll_us=500, misfortune=ALL_LOST)
    first, second = (mes.process(name).queue("ccs", aggregated=True) for name in "ab")
    rt.world.sleep(1e-6)
    for queue in (first, second, first, second):
        queue.submit(packet(10))
        queue.fence().wait()
    assert world_us(rt) == 41


def test_mapping_looks_at_the_pointers_too(rt: Runtime) -> None:
    """The doorbell of the second packet is lost while the queue is unmapped; what maps it is the first one."""
    first, second = made(Mes(rt, {"ccs": 1}, slots=1, quantum_us=0, misfortune=ALL_LOST, poll_us=5), "a", "b")
    first.submit(packet(100))
    rt.world.sleep(1e-6)
    second.submit(packet(1))
    rt.world.sleep(10e-6)
    second.submit(packet(1))
    second.fence().wait()
    assert world_us(rt) == 102


def test_a_late_doorbell_is_late(rt: Runtime) -> None:
    (queue,) = made(Mes(rt, {"ccs": 1}, misfortune=Misfortune(delay=1.0, delay_us=70)), "a")
    rt.world.sleep(1e-6)
    queue.submit(packet(10))
    queue.fence().wait()
    assert world_us(rt) == 81


def test_a_late_doorbell_of_a_queue_that_is_gone_harms_nobody(rt: Runtime) -> None:
    mes = Mes(rt, {"ccs": 1}, misfortune=Misfortune(delay=1.0, delay_us=70))
    first, second = made(mes, "a", "b")
    rt.world.sleep(1e-6)
    first.submit(packet(10))
    first.destroy()
    second.submit(packet(10))
    second.fence().wait()
    assert world_us(rt) == 81


@pytest.mark.parametrize("lose", [0.0, 0.5, 1.0])
def test_whatever_is_lost_everything_is_executed(rt: Runtime, lose: float) -> None:
    mes = Mes(rt, {"ccs": 1}, slots=2, quantum_us=10, poll_us=50, misfortune=Misfortune(lose=lose, delay=0.3))
    queues = made(mes, *"abcdef")
    for round_ in range(5):
        for queue in queues:
            queue.submit(packet(3), packet(2))
        rt.world.sleep(round_ * 1e-5)
    for queue in queues:
        assert queue.fence().wait(1)
        assert queue.mqd.ring.rptr.load() == 10
    assert mes.statistics().engines["ccs0"].busy_ns == 6 * 25_000
