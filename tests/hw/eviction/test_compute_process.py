"""A process leaves all devices before its memory moves, and comes back to all of them: exact, in virtual time."""

from __future__ import annotations

import errno
import math
from collections.abc import Callable

import pytest

from fencepost import Runtime
from fencepost.errors import BadInput
from fencepost.fences import Usage
from fencepost.hw.eviction import ComputeProcess
from fencepost.hw.memory import PAGE_BYTES, MemoryManager, Placement, Vm
from fencepost.hw.user_queue import Mes, QueueState
from fencepost.sync import current
from tests.hw.eviction.kit import AT, Card, Watched, WatchedVm, evicted_by_others, spill
from tests.hw.user_queue.kit import packet, refused, world_us

PAGE = PAGE_BYTES


@pytest.fixture
def memory(rt: Runtime) -> MemoryManager:  # noqa: ARG001 - it is of that world
    """Give ten pages of vram and twenty of system memory."""
    return MemoryManager(10 * PAGE, 20 * PAGE)


def made(rt: Runtime, memory: MemoryManager, *leave_us: float | None, pages: int = 7, name: str = "a") -> Watched:
    """Make a process with cards that take their queues off in so many microseconds; it is not begun."""
    process = Watched(rt, WatchedVm(memory, name), restore_delay_s=0.002, min_run_s=0.01, evict_timeout_s=0.001)
    process.map(memory.create(pages * PAGE, name), AT)
    for number, each in enumerate(leave_us):
        process.join(Card(process.vm, f"card{number}", leave_us=each))
    return process


def cards_of(process: Watched) -> list[Card]:
    return process.vm.cards


def until_runs(process: ComputeProcess, runs: int) -> None:
    while process.runs < runs:
        current().sleep(1e-4)
        assert current().now_ns() < 1_000_000_000, f"it was brought back {process.runs} times of {runs}"


def counts(process: Watched) -> list[int]:
    return [process.evictions(card) for card in cards_of(process)]


def test_it_begins_evicted_and_runs_when_its_memory_is_there(rt: Runtime, memory: MemoryManager) -> None:
    process = made(rt, memory, 0, 0)
    assert (counts(process), process.fence) == ([1, 1], None)
    process.begin()
    until_runs(process, 1)
    assert counts(process) == [0, 0]
    assert all(card.is_on for card in cards_of(process))
    (buffer,) = process.vm.buffers()
    assert buffer.placement is Placement.VRAM
    assert buffer.reservation.get_fences(Usage.BOOKKEEP) == [process.fence]
    assert process.vm.reservation.get_fences(Usage.BOOKKEEP) == [process.fence]


def test_it_leaves_all_devices_for_who_wants_its_memory_and_is_back_after_the_back_off(
    rt: Runtime, memory: MemoryManager
) -> None:
    process = made(rt, memory, 30, 50)
    process.begin()
    current().sleep(0.020)
    first = process.fence
    assert first is not None
    spill(memory, 3)
    assert process.runs == 1
    other = spill(memory, 4)
    assert (first.signaled, first.error, world_us(rt)) == (True, 0, 20_050)
    assert counts(process) == [1, 1]
    with other.reservation:
        memory.evict(other)
    until_runs(process, 2)
    assert process.fence is not None
    assert (process.fence.context, process.fence.seqno, process.fence.signaled) == (first.context, 2, False)
    assert counts(process) == [0, 0]
    process.exit()
    assert [card.stretches_us for card in cards_of(process)] == [
        [(0, 20_030), (22_050, world_us(rt) - 20)],
        [(0, 20_050), (22_050, world_us(rt))],
    ]


def test_it_runs_for_a_while_before_it_leaves(rt: Runtime, memory: MemoryManager) -> None:
    process = made(rt, memory, 0)
    process.begin()
    current().sleep(0.001)
    spill(memory, 4)
    assert world_us(rt) == 10_000
    assert cards_of(process)[0].stretches_us == [(0, 10_000)]


def test_two_that_do_not_fit_in_together_take_turns(rt: Runtime, memory: MemoryManager) -> None:
    both = [made(rt, memory, 0, 0, name=name) for name in ("a", "b")]
    for process in both:
        process.begin()
    current().sleep(0.045)
    for process in both:
        assert process.exit()
    assert [cards_of(process)[1].stretches_us for process in both] == [
        [(0, 10_000), (20_000, 30_000), (40_000, 45_000)],
        [(10_000, 20_000), (30_000, 40_000)],
    ]


def test_who_finds_it_evicted_has_nothing_to_do_with_the_restore(rt: Runtime, memory: MemoryManager) -> None:
    process = made(rt, memory, 30, 50)
    process.begin()
    until_runs(process, 1)
    assert sorted(evicted_by_others(rt, process, "eviction", "reset", "suspend")) == [False, False, True]
    assert counts(process) == [1, 1]
    assert not process.evict()
    until_runs(process, 2)
    assert counts(process) == [0, 0]
    # 100 us until it was seen to run, 50 us to leave, the back-off, and then its time.
    assert process.stays_until_ns == 150_000 + 2_000_000 + 10_000_000


def test_an_eviction_that_fails_on_one_device_moves_nothing_and_is_undone_on_the_others(
    rt: Runtime, memory: MemoryManager
) -> None:
    process = made(rt, memory, 0, None)
    card, stuck = cards_of(process)
    process.begin()
    current().sleep(0.020)
    failed = process.fence
    assert failed is not None
    refused(
        errno.EBUSY, "a, 28672 bytes, vram> cannot move: the work of a did not leave in time", lambda: spill(memory, 4)
    )
    assert (failed.error, world_us(rt)) == (-errno.EBUSY, 21_000)
    assert memory.regions[Placement.VRAM].used_bytes == 7 * PAGE
    until_runs(process, 2)
    assert counts(process) == [0, 0]
    assert (card.is_on, stuck.is_on, card.stretches_us) == (True, True, [(0, 20_000)])
    assert process.fence is not failed
    # And again, when the device has thought better of it.
    stuck.leave_us = 5
    spill(memory, 4)
    assert process.fence is not None
    assert process.fence.error == 0


def test_a_device_that_leaves_too_late_is_back_with_the_others(rt: Runtime, memory: MemoryManager) -> None:
    process = made(rt, memory, 0, 1_500)
    process.begin()
    current().sleep(0.020)
    refused(errno.EBUSY, "the queues of a did not leave in time", process.evict)
    until_runs(process, 2)
    current().sleep(0.001)
    assert [card.is_on for card in cards_of(process)] == [True, True]
    assert [card.holds for card in cards_of(process)] == [0, 0]


def test_where_there_is_no_room_it_comes_back_later(rt: Runtime, memory: MemoryManager) -> None:
    process = made(rt, memory, 0)
    scanout = spill(memory, 4)
    with scanout.reservation:
        scanout.pin()
    process.begin()
    current().sleep(0.005)
    assert (process.runs, counts(process)) == (0, [1])
    with scanout.reservation:
        scanout.unpin()
    until_runs(process, 1)
    assert cards_of(process)[0].is_on
    assert process.stays_until_ns == 6_000_000 + 10_000_000


def test_evictions_nest_device_by_device(rt: Runtime, memory: MemoryManager) -> None:
    process = made(rt, memory, 0, 0)
    first, second = cards_of(process)
    process.begin()
    until_runs(process, 1)
    process.evict_on(first).wait()
    process.evict_on(first).wait()
    assert (counts(process), first.is_on, second.is_on) == ([2, 0], False, True)
    assert process.evict()
    assert counts(process) == [3, 1]
    until_runs(process, 2)
    assert (counts(process), first.is_on, second.is_on) == ([2, 0], False, True)
    process.restore_on(first)
    assert not first.is_on
    process.restore_on(first)
    assert first.is_on


def test_a_device_that_joins_during_an_eviction_is_evicted(rt: Runtime, memory: MemoryManager) -> None:
    process = made(rt, memory, 0)
    process.begin()
    until_runs(process, 1)
    process.evict()
    late = Card(cards_of(process)[0].vm, "late")
    process.join(late)
    assert (process.evictions(late), late.is_on) == (1, False)
    until_runs(process, 2)
    assert late.is_on


def test_what_begins_again_is_not_back_any_sooner(rt: Runtime, memory: MemoryManager) -> None:
    process = made(rt, memory, 0)
    assert not process.evict()
    process.begin()
    process.begin()
    until_runs(process, 1)
    assert process.fence is not None
    assert (counts(process), process.fence.seqno) == ([0], 1)
    process.evict()
    process.begin()
    current().sleep(0.0019)
    assert process.runs == 1


def test_an_eviction_of_which_word_comes_late_disturbs_nobody(rt: Runtime, memory: MemoryManager) -> None:
    process = made(rt, memory, 0)
    process.begin()
    until_runs(process, 1)
    before = process.fence
    assert before is not None
    process.evict()
    until_runs(process, 2)
    assert not process.leave(before)
    assert len(cards_of(process)[0].stretches_us) == 1


def test_memory_that_is_mapped_while_it_runs_is_there_and_has_the_fence(rt: Runtime, memory: MemoryManager) -> None:
    process = made(rt, memory, 0, pages=2)
    process.begin()
    until_runs(process, 1)
    buffer = memory.create(PAGE)
    binding = process.map(buffer, 16 * AT)
    assert binding.valid
    assert buffer.reservation.get_fences(Usage.BOOKKEEP) == [process.fence]
    assert (process.runs, counts(process)) == (1, [0])
    process.evict()
    later = process.map(memory.create(PAGE), 17 * AT)
    assert not later.valid
    until_runs(process, 2)
    assert later.valid


def test_what_cannot_be_mapped_is_not_bound(rt: Runtime, memory: MemoryManager) -> None:
    process = made(rt, memory, 0)
    process.begin()
    until_runs(process, 1)
    huge = memory.create(4 * PAGE, "huge")
    refused(errno.ENOSPC, "no room for <buffer huge", lambda: process.map(huge, 16 * AT))
    assert len(process.vm.bindings()) == 1
    refused(errno.EINVAL, "overlaps", lambda: process.map(memory.create(PAGE), AT))
    assert (process.runs, counts(process), cards_of(process)[0].is_on) == (1, [0], True)


def test_after_the_end_its_memory_goes_at_once_and_nothing_comes_back(rt: Runtime, memory: MemoryManager) -> None:
    process = made(rt, memory, 30)
    process.begin()
    until_runs(process, 1)
    assert process.exit()
    assert process.exit()
    assert not cards_of(process)[0].is_on
    since_us = world_us(rt)
    spill(memory, 10)
    assert world_us(rt) == since_us
    process.begin()
    current().sleep(0.1)
    assert (process.runs, cards_of(process)[0].is_on) == (1, False)


def test_an_end_that_is_not_in_time_keeps_the_memory(rt: Runtime, memory: MemoryManager) -> None:
    process = made(rt, memory, None)
    process.begin()
    current().sleep(0.020)
    assert not process.exit(timeout_s=0.001)
    refused(errno.EBUSY, "did not leave in time", lambda: spill(memory, 4))
    refused(errno.EBUSY, "did not leave in time", lambda: spill(memory, 4))
    cards_of(process)[0].take_off()
    cards_of(process)[0].leave_us = 0
    assert process.exit(timeout_s=0.001)
    spill(memory, 4)


@pytest.mark.parametrize("awaited", [False, True])
def test_leaving_the_runtime_ends_an_eviction_that_does_not_come(awaited: bool) -> None:  # noqa: FBT001 - a parameter of a test
    with Runtime(world="virtual") as rt:
        memory = MemoryManager(10 * PAGE, 20 * PAGE)
        process = made(rt, memory, None)
        process.begin()
        until_runs(process, 1)
        fence = process.fence
        assert fence is not None
        if awaited:
            fence.enable_signaling()
    assert fence.error == -errno.ENOENT


def test_queues_of_user_space_on_two_devices_leave_and_come_back(
    rt: Runtime, memory: MemoryManager, stretches: Callable[[], list[tuple[str, str, int, int]]]
) -> None:
    process = ComputeProcess(rt, Vm(memory, "a", long_running=True), restore_delay_s=0.0001, min_run_s=0)
    process.map(memory.create(7 * PAGE), AT)
    devices = [Mes(rt, {engine: 1}, preempt_us=10) for engine in ("ccs", "bcs")]
    mine = [mes.process("a") for mes in devices]
    for each in mine:
        process.join(each)
    queues = [mine[0].queue("ccs"), mine[1].queue("bcs")]
    for queue in queues:
        queue.submit(packet(50))
    process.begin()
    current().sleep(20e-6)
    other = spill(memory, 4)
    assert {queue.state for queue in queues} == {QueueState.PREEMPTED}
    born_evicted = mine[0].queue("ccs")
    born_evicted.submit(packet(1))
    current().sleep(20e-6)
    assert born_evicted.state is QueueState.PREEMPTED
    with other.reservation:
        memory.evict(other)
    for queue in (*queues, born_evicted):
        queue.fence().wait()
    assert stretches() == [
        ("ccs0", "a", 0, 20),
        ("bcs0", "a", 0, 20),
        ("ccs0", "a", 120, 150),
        ("bcs0", "a", 120, 150),
        ("ccs0", "a", 150, 151),
    ]


def test_a_queue_that_does_not_yield_is_left_where_it_is(rt: Runtime, memory: MemoryManager) -> None:
    """One of two devices cannot preempt in time: nothing moves, and the other device goes on."""
    process = ComputeProcess(
        rt, Vm(memory, "a", long_running=True), restore_delay_s=0.0001, min_run_s=0, evict_timeout_s=50e-6
    )
    process.map(memory.create(7 * PAGE), AT)
    mine = [Mes(rt, {"ccs": 1}, preempt_us=10, preempt_timeout_us=0).process("a") for _ in range(2)]
    for each in mine:
        process.join(each)
    process.begin()
    queues = [each.queue("ccs") for each in mine]
    queues[0].submit(packet(100))
    queues[1].submit(packet(100, preempt_us=0))
    current().sleep(20e-6)
    refused(errno.EBUSY, "did not leave in time", lambda: spill(memory, 4))
    for queue in queues:
        queue.fence().wait()
        assert not queue.error
    assert world_us(rt) == 150  # The first was off from 20 to 70.
    assert [queue.mqd.executed_ns for queue in queues] == [100_000, 100_000]


@pytest.mark.parametrize("option", ["restore_delay_s", "min_run_s", "evict_timeout_s"])
@pytest.mark.parametrize("time_s", [-1, math.inf, math.nan])
def test_a_time_is_finite_and_not_negative(rt: Runtime, memory: MemoryManager, option: str, time_s: float) -> None:
    with pytest.raises(BadInput, match=f"{option}: found {time_s}, expected 0 or more seconds"):
        ComputeProcess(rt, Vm(memory), **{option: time_s})


def test_what_is_not_of_the_process_is_refused_and_nothing_has_changed(rt: Runtime, memory: MemoryManager) -> None:
    process, other = made(rt, memory, 0, pages=3), made(rt, memory, 0, pages=3, name="b")
    for each in (process, other):
        each.begin()
        until_runs(each, 1)
    (card,), (foreign,) = cards_of(process), cards_of(other)
    refused(errno.ENODEV, "<card0> is not of a", lambda: process.evict_on(foreign))
    refused(errno.ENODEV, "<card0> is not of a", lambda: process.restore_on(foreign))
    refused(errno.ENODEV, "<card0> is not of a", lambda: process.evictions(foreign))
    refused(errno.EINVAL, "<card0> of a is to be restored, and is not evicted", lambda: process.restore_on(card))
    refused(errno.EEXIST, "<card0> has joined a before", lambda: process.join(card))
    assert (counts(process), counts(other), card.holds, foreign.holds) == ([0], [0], 0, 0)
    assert card.is_on
    assert foreign.is_on
    # Nor can what others have evicted be restored on a device alone.
    process.evict()
    refused(errno.EINVAL, "not evicted on that device alone", lambda: process.restore_on(card))
    assert counts(process) == [1]


def test_a_process_that_is_over_takes_no_memory_and_no_devices(rt: Runtime, memory: MemoryManager) -> None:
    process = made(rt, memory, 0)
    process.exit()
    late = Card(cards_of(process)[0].vm, "late")
    refused(errno.ESRCH, "<process a> is over", lambda: process.map(memory.create(PAGE), 16 * AT))
    refused(errno.ESRCH, "<process a> is over", lambda: process.join(late))
    assert len(process.vm.bindings()) == 1
    assert late.holds == 0
    refused(errno.ENODEV, "<late> is not of a", lambda: process.evictions(late))
