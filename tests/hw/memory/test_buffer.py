from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial

import pytest

from fencepost.errors import WrongState
from fencepost.fences import Fence, Usage
from fencepost.hw.memory import PAGE_BYTES, BufferObject, MemoryManager, Placement, Vm

Placed = Callable[..., BufferObject]


def test_it_has_no_memory_at_first(memory: MemoryManager) -> None:
    buffer = memory.create(PAGE_BYTES, "new")
    assert buffer.placement is None
    assert repr(buffer) == "<buffer new, 4096 bytes, nowhere>"


def test_what_is_freed_gives_its_memory_back(memory: MemoryManager, placed: Placed) -> None:
    buffer = placed("old", 2)
    buffer.free()
    assert memory.regions[Placement.VRAM].used_bytes == 0


def test_it_is_freed_once(placed: Placed) -> None:
    buffer = placed("old", 1)
    buffer.free()
    with pytest.raises(OSError, match="<buffer old, 4096 bytes, nowhere> was freed before") as refused:
        buffer.free()
    assert refused.value.errno == errno.EINVAL


def test_nothing_can_be_done_with_it_then(memory: MemoryManager, placed: Placed) -> None:
    buffer = placed("old", 1)
    buffer.free()
    with buffer.reservation:
        for use in (partial(memory.validate, buffer), buffer.pin):
            with pytest.raises(OSError, match="was freed: nothing can be done with it any more") as refused:
                use()
            assert refused.value.errno == errno.ENOENT
    assert memory.regions[Placement.VRAM].used_bytes == 0
    assert buffer.pinned == 0


def test_its_memory_stays_while_somebody_uses_it(memory: MemoryManager, placed: Placed) -> None:
    buffer, fence = placed("old", 2), Fence()
    with buffer.reservation:
        buffer.reservation.reserve()
        buffer.reservation.add(fence, Usage.BOOKKEEP)
    buffer.free()
    assert memory.regions[Placement.VRAM].used_bytes == 2 * PAGE_BYTES
    fence.signal()
    placed("next", 4)
    assert memory.regions[Placement.VRAM].used_bytes == 4 * PAGE_BYTES
    assert memory.regions[Placement.SYSTEM].used_bytes == 0


def test_it_stays_bound_until_it_is_unbound(memory: MemoryManager, placed: Placed) -> None:
    buffer, vm = placed("old", 2), Vm(memory)
    vm.bind(buffer, 0)
    buffer.free()
    assert vm.is_mapped(0)
    assert memory.regions[Placement.VRAM].used_bytes == 2 * PAGE_BYTES
    vm.unbind(0)
    assert memory.regions[Placement.VRAM].used_bytes == 0


def test_what_is_pinned_stays(memory: MemoryManager, placed: Placed) -> None:
    buffer = placed("scanout", 1)
    with buffer.reservation:
        buffer.pin()
        for move in (partial(memory.validate, buffer, Placement.SYSTEM), partial(memory.evict, buffer)):
            with pytest.raises(OSError, match="<buffer scanout, 4096 bytes, vram> is pinned") as refused:
                move()
            assert refused.value.errno == errno.EINVAL
        buffer.unpin()
        memory.evict(buffer)
        with pytest.raises(OSError, match="is not pinned"):
            buffer.unpin()
    assert buffer.placement is Placement.SYSTEM


def test_it_is_changed_by_who_holds_its_reservation(placed: Placed) -> None:
    buffer = placed("mine", 1)
    for change in (buffer.pin, buffer.unpin):
        with pytest.raises(WrongState, match="does not hold"):
            change()
