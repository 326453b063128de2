"""Evictions, restores, resets and ends in every order that a search comes by: I23 holds."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial

import pytest

from fencepost.actors import Runtime
from fencepost.fences import Usage
from fencepost.hw.eviction import ComputeProcess
from fencepost.hw.memory import PAGE_BYTES, MemoryManager, ProcessMemory, Vm
from fencepost.hw.user_queue import Mes
from fencepost.sync import current
from tests.hw.eviction.kit import AT, SHARED, Card, Watched, WatchedVm, busy, evicted_by_others, spill
from tests.hw.user_queue.kit import packet
from tests.searching import assert_clean, joined

PAGE = PAGE_BYTES


def made(rt: Runtime, memory: MemoryManager, *leave_us: float | None, pages: int = 2, name: str = "a") -> Watched:
    """Make a process that runs at once, with cards that take their queues off in so many microseconds."""
    process = Watched(rt, WatchedVm(memory, name), restore_delay_s=2e-6, min_run_s=1e-6, evict_timeout_s=10e-6)
    process.map(memory.create(pages * PAGE, name), AT)
    for number, each in enumerate(leave_us):
        process.join(Card(process.vm, f"{name}{number}", leave_us=each))
    process.begin()
    return process


def clean(model: Callable[[Runtime], object], timers: str = "never", schedules: int = 120) -> None:
    assert_clean(model, schedules=schedules, timers=timers, fields=SHARED)


def test_memory_is_wanted_again_while_a_restore_comes_to_its_end() -> None:
    def model(rt: Runtime) -> None:
        memory = MemoryManager(3 * PAGE, 6 * PAGE)
        process = made(rt, memory, 0, 1)

        process.settle()

        def want() -> None:
            for _ in range(2):
                with busy():
                    other = spill(memory, 2)
                    with other.reservation:
                        memory.evict(other)

        joined(rt.spawn(want))
        process.settle()
        process.check_runs()
        assert process.runs > 1

    clean(model)


@pytest.mark.parametrize("timers", ["never", "free"])
def test_two_evict_it_and_it_is_brought_back_once(timers: str) -> None:
    """B26."""

    def model(rt: Runtime) -> None:
        memory = MemoryManager(3 * PAGE, 6 * PAGE)
        process = made(rt, memory, 0, 1)
        process.settle()
        fence = process.fence
        assert fence is not None
        waiter = rt.spawn(fence.wait, "manager")
        owners = evicted_by_others(rt, process, "reset", "suspend")
        waiter.join()
        assert sum(owners) <= len(process.owned)
        process.settle()
        process.check_runs()

    clean(model, timers)


def test_two_processes_want_the_same_memory() -> None:
    """Not with deadlines that come early: time to run and to stay away is what lets them get on."""

    def model(rt: Runtime) -> None:
        memory = MemoryManager(3 * PAGE, 6 * PAGE)
        both = [made(rt, memory, 0, name=name) for name in ("a", "b")]
        for process in both:
            process.brought_back[2].wait()
        for process in both:
            process.exit()

    clean(model, schedules=60)


@pytest.mark.parametrize("timers", ["never", "free"])
def test_a_process_ends_while_it_is_brought_back(timers: str) -> None:
    def model(rt: Runtime) -> None:
        memory = MemoryManager(3 * PAGE, 6 * PAGE)
        process = made(rt, memory, 0, 0)

        def want() -> None:
            with busy():
                spill(memory, 2)

        joined(rt.spawn(process.exit), rt.spawn(want))
        assert not any(card.is_on for card in process.vm.cards)
        assert process.fence is None or process.fence.signaled
        runs = process.runs
        with process.vm.lock.write():
            # By now a restore that was under way has come to its end.
            (buffer,) = process.vm.buffers()
            assert buffer.reservation.test_signaled(Usage.BOOKKEEP)
        assert process.runs == runs
        spill(memory, 1)

    clean(model, timers)


def test_a_device_joins_and_memory_is_mapped_during_an_eviction() -> None:
    def model(rt: Runtime) -> None:
        memory = MemoryManager(4 * PAGE, 8 * PAGE)
        process = made(rt, memory, 0)
        vm = process.vm
        joined(
            rt.spawn(process.evict),
            rt.spawn(lambda: process.join(Card(vm, "late"))),
            rt.spawn(lambda: process.map(memory.create(PAGE), 16 * AT)),
        )
        process.settle()
        process.check_runs()
        assert len(vm.bindings()) == 2
        assert len(vm.cards) == 2

    clean(model)


def test_an_eviction_fails_beside_one_that_does_not() -> None:
    def model(rt: Runtime) -> None:
        memory = MemoryManager(3 * PAGE, 6 * PAGE)
        process = made(rt, memory, 0, 11)
        process.settle()

        def want() -> None:
            with busy():
                spill(memory, 2)

        joined(rt.spawn(want), rt.spawn(partial(evicted_by_others, rt, process, "reset")))
        process.settle()
        process.check_runs()
        assert -errno.EBUSY in process.owned

    clean(model)


def test_a_user_queue_is_made_during_an_eviction() -> None:
    def model(rt: Runtime) -> None:
        memory = MemoryManager(3 * PAGE, 6 * PAGE)
        process = ComputeProcess(rt, Vm(memory, "a", long_running=True), restore_delay_s=5e-6, min_run_s=0)
        process.map(memory.create(2 * PAGE), AT)
        mine = Mes(rt, {"ccs": 1}, preempt_us=1).process("a")
        process.join(mine)
        process.begin()

        def use() -> None:
            queue = mine.queue("ccs")
            queue.submit(packet(2))
            queue.fence().wait()

        joined(rt.spawn(use), rt.spawn(partial(spill, memory, 2)))

    clean(model, schedules=60)


def test_an_eviction_in_the_tail_of_a_restore_has_its_own_back_off() -> None:
    """B26: whoever evicts just as a restore ends is not undone by that restore."""

    def model(rt: Runtime) -> None:
        process = Watched(rt, WatchedVm(MemoryManager(PAGE, PAGE)), restore_delay_s=1e-3, min_run_s=0)
        process.map(process.vm.memory.create(PAGE), AT)
        process.join(Card(process.vm))
        process.begin()
        while process.fence is None:
            current().sleep(1e-6)
        evicted_by_others(rt, process, "reset")
        assert process.evictions(process.vm.cards[0]) == 1
        process.settle()
        assert current().now_ns() >= 1_000_000
        process.check_runs()

    clean(model)


def test_memory_of_the_process_goes_while_it_is_brought_back() -> None:
    def model(rt: Runtime) -> None:
        memory, mine = MemoryManager(PAGE, PAGE), ProcessMemory()
        process = made(rt, memory, 0, pages=1)
        process.vm.bind_userptr(mine, 0, PAGE, 16 * AT, populate=False)
        joined(rt.spawn(lambda: mine.unmap(0, PAGE)), rt.spawn(process.evict))
        process.settle()
        process.check_runs()

    clean(model)
