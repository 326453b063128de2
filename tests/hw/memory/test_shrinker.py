from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost import Runtime
from fencepost.errors import WrongState
from fencepost.fences import Fence, Usage
from fencepost.hw.memory import PAGE_BYTES, BufferObject, MemoryManager, MemoryPressure, Placement
from fencepost.sync import current
from fencepost.sync.allocation import Allocation, might_alloc

Placed = Callable[..., BufferObject]


def test_it_frees_what_was_used_least_recently(memory: MemoryManager, placed: Placed) -> None:
    first, second = placed("first", 2, Placement.SYSTEM), placed("second", 3, Placement.SYSTEM)
    assert memory.shrinker.reclaim() == 2 * PAGE_BYTES
    assert (first.placement, second.placement) == (None, Placement.SYSTEM)
    assert memory.shrinker.reclaim() == 3 * PAGE_BYTES
    assert memory.shrinker.reclaim() == 0


def test_it_leaves_what_somebody_has_locked(memory: MemoryManager, placed: Placed) -> None:
    buffer = placed("a", 2, Placement.SYSTEM)
    with buffer.reservation:
        assert memory.shrinker.reclaim() == 0
    assert buffer.placement is Placement.SYSTEM


def test_it_waits_for_the_fences_and_says_what_it_is_at(rt: Runtime, memory: MemoryManager, placed: Placed) -> None:
    buffer, fence = placed("a", 2, Placement.SYSTEM), Fence()
    with buffer.reservation:
        buffer.reservation.reserve()
        buffer.reservation.add(fence, Usage.READ)
    task = rt.spawn(memory.shrinker.reclaim)
    while task.waiting_on is None:
        current().sleep(1e-4)
    assert (task.waiting_on, task.errand) == (fence, "reclaim")
    fence.signal()
    task.join()
    assert (task.result, task.errand) == (2 * PAGE_BYTES, "")


def test_under_pressure_each_allocation_frees_something(memory: MemoryManager, placed: Placed) -> None:
    for name in ("first", "second", "third"):
        placed(name, 1, Placement.SYSTEM)
    with MemoryPressure(memory):
        might_alloc(Allocation.KERNEL)
        might_alloc(Allocation.NOFS)
        might_alloc(Allocation.ATOMIC)
    assert memory.regions[Placement.SYSTEM].used_bytes == PAGE_BYTES
    might_alloc(Allocation.KERNEL)
    assert memory.regions[Placement.SYSTEM].used_bytes == PAGE_BYTES


def test_a_place_for_a_buffer_and_other_memory_are_allocations(memory: MemoryManager, placed: Placed) -> None:
    first, second = placed("first", 1, Placement.SYSTEM), placed("second", 1, Placement.SYSTEM)
    with MemoryPressure(memory):
        memory.allocate(1)
        assert (first.placement, second.placement) == (None, Placement.SYSTEM)
        third = placed("third", 1)
        assert (second.placement, third.placement) == (None, Placement.VRAM)
    memory.release(1)


def test_who_frees_does_not_have_to_free_for_that(memory: MemoryManager, placed: Placed) -> None:
    placed("first", 1, Placement.SYSTEM)
    second = placed("second", 1, Placement.SYSTEM)
    second.invalidate = lambda: might_alloc(Allocation.KERNEL)  # type: ignore[method-assign]
    third = placed("third", 1, Placement.SYSTEM)
    with MemoryPressure(memory):
        assert memory.shrinker.reclaim() == PAGE_BYTES
        assert memory.shrinker.reclaim() == PAGE_BYTES
    assert (second.placement, third.placement) == (None, Placement.SYSTEM)


def test_memory_is_short_once_in_a_world(memory: MemoryManager) -> None:
    with MemoryPressure(memory):
        with pytest.raises(WrongState, match="memory is short already in this"), MemoryPressure(memory):
            pass
        assert current().reclaim is not None
    assert current().reclaim is None
