from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial

import pytest

from fencepost import Runtime
from fencepost.actors import Runtime as AnyRuntime
from fencepost.errors import BadInput, WrongContext, WrongState
from fencepost.fences import Fence, Usage
from fencepost.hw.memory import PAGE_BYTES, BufferObject, MemoryManager, Placement
from fencepost.sync import current
from fencepost.sync.allocation import Allocation
from tests.searching import assert_clean

Placed = Callable[..., BufferObject]


def used(memory: MemoryManager) -> tuple[int, int]:
    """Return how many pages are used of vram and of system memory."""
    pages = [memory.regions[each].used_bytes // PAGE_BYTES for each in (Placement.VRAM, Placement.SYSTEM)]
    return pages[0], pages[1]


def use(buffer: BufferObject, usage: Usage) -> Fence:
    fence = Fence(name=f"use of {buffer.name}")
    with buffer.reservation:
        buffer.reservation.reserve()
        buffer.reservation.add(fence, usage)
    return fence


def test_a_buffer_is_brought_where_it_is_wanted(memory: MemoryManager, placed: Placed) -> None:
    buffer = placed("a", 3)
    assert (buffer.placement, used(memory)) == (Placement.VRAM, (3, 0))
    with memory.validated([buffer], Placement.SYSTEM):
        assert buffer.reservation.holder is current().task()
    assert (buffer.placement, used(memory)) == (Placement.SYSTEM, (0, 3))


def test_the_one_used_least_recently_makes_room(memory: MemoryManager, placed: Placed) -> None:
    first, second = placed("first", 2), placed("second", 2)
    with memory.validated([first]):
        pass
    placed("third", 1)
    assert (first.placement, second.placement) == (Placement.VRAM, Placement.SYSTEM)
    assert used(memory) == (3, 2)


def test_what_makes_room_moves_on_to_system_memory_and_to_the_disk(memory: MemoryManager, placed: Placed) -> None:
    buffers = [placed(str(number), 4) for number in range(4)]
    assert [buffer.placement for buffer in buffers] == [None, Placement.SYSTEM, Placement.SYSTEM, Placement.VRAM]
    assert used(memory) == (4, 8)


@pytest.mark.parametrize("usage", Usage)
def test_it_moves_when_nobody_uses_it(rt: Runtime, placed: Placed, usage: Usage) -> None:
    """Whatever for: also what only keeps book has the hardware use the memory."""
    buffer = placed("a", 4)
    fence = use(buffer, usage)
    task = rt.spawn(lambda: placed("b", 4))
    while task.waiting_on is None:
        current().sleep(1e-4)
    assert task.waiting_on is fence
    assert str(buffer.placement) == "vram"
    fence.signal()
    task.join()
    assert str(buffer.placement) == "system"


def test_who_stays_is_not_waited_for(memory: MemoryManager, placed: Placed) -> None:
    buffer = placed("a", 4)
    fence = use(buffer, Usage.WRITE)
    with memory.validated([buffer]):
        assert not fence.signaled
    fence.signal()


def test_where_nothing_can_leave_there_is_no_room(memory: MemoryManager, placed: Placed) -> None:
    pinned = placed("pinned", 3)
    with pinned.reservation:
        pinned.pin()
    wanted = memory.create(2 * PAGE_BYTES, "wanted")
    with pytest.raises(OSError, match="no room for <buffer wanted, 8192 bytes, nowhere> in <vram, 12288 of") as refused:
        placed_again(memory, wanted)
    assert refused.value.errno == errno.ENOSPC
    assert (wanted.placement, wanted.reservation.holder, used(memory)) == (None, None, (3, 0))


def placed_again(memory: MemoryManager, buffer: BufferObject) -> None:
    with memory.validated([buffer]):
        pass


def test_buffers_that_are_wanted_at_once_do_not_make_room_for_each_other(memory: MemoryManager) -> None:
    buffers = [memory.create(3 * PAGE_BYTES, name) for name in ("a", "b")]
    with pytest.raises(OSError, match="no room for <buffer b") as refused, memory.validated(buffers):
        pass
    assert refused.value.errno == errno.ENOSPC
    assert [buffer.reservation.holder for buffer in buffers] == [None, None]


def test_what_may_not_wait_changes_nothing(memory: MemoryManager, placed: Placed) -> None:
    buffer, upload = placed("a", 1), Fence()
    fence = use(buffer, Usage.READ)

    def callback(_fence: Fence) -> None:
        with pytest.raises(WrongContext):
            memory.evict(buffer)

    with buffer.reservation:
        upload.add_callback(callback)
        upload.signal()
    assert (buffer.placement, used(memory)) == (Placement.VRAM, (1, 0))
    assert memory.regions[Placement.SYSTEM].least_recent() == ()
    fence.signal()


def test_it_is_done_by_who_holds_the_reservation(memory: MemoryManager, placed: Placed) -> None:
    buffer = placed("a", 1)
    for move in (memory.validate, memory.evict):
        with pytest.raises(WrongState, match="does not hold"):
            move(buffer)


def test_other_memory_is_taken_and_given_back(memory: MemoryManager) -> None:
    memory.allocate(100)
    assert memory.regions[Placement.SYSTEM].used_bytes == 100
    memory.release(100)
    assert memory.regions[Placement.SYSTEM].used_bytes == 0
    with pytest.raises(OSError, match="0 bytes of system memory are wanted") as refused:
        memory.allocate(0)
    assert refused.value.errno == errno.EINVAL


def test_buffers_leave_system_memory_for_it(memory: MemoryManager, placed: Placed) -> None:
    first, second = placed("first", 4, Placement.SYSTEM), placed("second", 4, Placement.SYSTEM)
    memory.allocate(1)
    assert (first.placement, second.placement) == (None, Placement.SYSTEM)
    memory.release(1)


@pytest.mark.parametrize("kind", [Allocation.ATOMIC, Allocation.NOWAIT])
def test_who_may_not_wait_is_refused(memory: MemoryManager, placed: Placed, kind: Allocation) -> None:
    placed("all", 8, Placement.SYSTEM)
    with pytest.raises(OSError, match="1 bytes are wanted of <system, 32768 of 32768") as refused:
        memory.allocate(1, kind)
    assert refused.value.errno == errno.ENOMEM


def test_who_wants_more_than_there_is_gets_nothing(memory: MemoryManager, placed: Placed) -> None:
    buffer = placed("a", 1, Placement.SYSTEM)
    with pytest.raises(OSError, match="and nothing can leave it"):
        memory.allocate(9 * PAGE_BYTES)
    assert (buffer.placement, used(memory)) == (None, (0, 0))


@pytest.mark.parametrize(
    ("size_bytes", "error"),
    [(0, errno.EINVAL), (-1, errno.EINVAL), (PAGE_BYTES + 1, errno.EINVAL), (9 * PAGE_BYTES, errno.ENOMEM)],
)
def test_a_buffer_that_cannot_be_is_refused(memory: MemoryManager, size_bytes: int, error: int) -> None:
    with pytest.raises(OSError, match="the buffer odd") as refused:
        memory.create(size_bytes, "odd")
    assert refused.value.errno == error


@pytest.mark.parametrize("size_bytes", [0, -PAGE_BYTES, PAGE_BYTES + 1])
def test_memory_is_of_whole_pages(size_bytes: int) -> None:
    with pytest.raises(BadInput, match=f"vram_bytes: found {size_bytes}, expected a multiple of 4096"):
        MemoryManager(size_bytes, PAGE_BYTES)
    with pytest.raises(BadInput, match=f"system_bytes: found {size_bytes}, expected"):
        MemoryManager(PAGE_BYTES, size_bytes)


def test_any_number_may_fight_for_memory_and_all_get_it_in_the_end() -> None:
    def model(runtime: AnyRuntime) -> None:
        memory = MemoryManager(2 * PAGE_BYTES, 8 * PAGE_BYTES)
        buffers = [memory.create(PAGE_BYTES, name) for name in ("a", "b", "c")]

        def hold(*wanted: BufferObject) -> None:
            with memory.validated(wanted):
                assert [buffer.placement for buffer in wanted] == [Placement.VRAM] * len(wanted)

        for first in range(3):
            runtime.spawn(partial(hold, buffers[first], buffers[(first + 1) % 3]))

    assert_clean(model, schedules=300)


def test_what_is_pinned_while_others_look_for_room_stays() -> None:
    def model(runtime: AnyRuntime) -> None:
        memory = MemoryManager(2 * PAGE_BYTES, 8 * PAGE_BYTES)
        pinned, other, wanted = (memory.create(PAGE_BYTES, name) for name in ("pinned", "other", "wanted"))
        for buffer in (pinned, other):
            placed_again(memory, buffer)

        def pin() -> None:
            with memory.validated([pinned]):
                pinned.pin()

        runtime.spawn(pin)
        runtime.spawn(partial(placed_again, memory, wanted)).join()
        assert wanted.placement is Placement.VRAM

    assert_clean(model, schedules=300)
