"""Processes that fight for memory, on threads and the wall clock: whatever the threads do, I23 holds and all get on."""

from __future__ import annotations

from functools import partial

from fencepost import Runtime
from fencepost.hw.eviction import ComputeProcess
from fencepost.hw.memory import PAGE_BYTES, MemoryManager, Vm
from fencepost.hw.user_queue import Mes, UserQueue
from fencepost.sync import Task
from tests.hw.eviction.kit import AT, Card, Watched, WatchedVm, evicted_by_others, spill
from tests.hw.user_queue.kit import packet

PAGE = PAGE_BYTES
PACKETS = 12
ROUNDS = 5


def use(queue: UserQueue, order: list[int]) -> None:
    """Write packets that execute for longer than an eviction takes, and note in which order they end."""
    for _ in range(PACKETS):
        number = queue.submit(packet(300), block=True, timeout_s=30)
        assert queue.fence(number).wait(30)
        assert not queue.fence(number).error
        order.append(number)


def test_two_processes_on_two_devices_fight_for_memory_and_both_get_done() -> None:
    with Runtime(events=None) as rt:
        memory = MemoryManager(10 * PAGE, 20 * PAGE)
        devices = [Mes(rt, {"ccs": 1}, preempt_us=10) for _ in range(2)]
        orders: list[list[int]] = []
        processes: list[ComputeProcess] = []
        tasks: list[Task] = []
        for name in ("a", "b"):
            process = ComputeProcess(rt, Vm(memory, name, long_running=True), restore_delay_s=5e-4, min_run_s=1e-3)
            processes.append(process)
            process.map(memory.create(7 * PAGE, name), AT)
            for mes in devices:
                mine = mes.process(name)
                process.join(mine)
                orders.append([])
                tasks.append(rt.spawn(partial(use, mine.queue("ccs"), orders[-1])))
            process.begin()
        for task in tasks:
            task.join()
        for process in processes:
            assert process.exit(30)
        spill(memory, 10)
    assert orders == [list(range(1, PACKETS + 1))] * 4
    assert all(process.runs for process in processes)


def test_everybody_evicts_at_the_same_time_and_all_of_it_is_undone() -> None:
    with Runtime(events=None) as rt:
        memory = MemoryManager(10 * PAGE, 20 * PAGE)
        both: list[Watched] = []
        for name in ("a", "b"):
            process = Watched(rt, WatchedVm(memory, name), restore_delay_s=2e-4, min_run_s=2e-4)
            process.map(memory.create(6 * PAGE, name), AT)
            for number, leave_us in enumerate((0, 50)):
                process.join(Card(process.vm, f"{name}{number}", leave_us=leave_us))
            process.begin()
            both.append(process)
        for _ in range(ROUNDS):
            for process in both:
                process.brought_back[process.runs + 1].wait()
                evicted_by_others(rt, process, "suspend", "reset")
        for process in both:
            assert process.exit(30)
    for process in both:
        assert process.vm.moves
        for card in process.vm.cards:
            # The end holds them once; besides, one restore may be owed that does not come any more.
            assert process.evictions(card) == card.holds in (1, 2)
