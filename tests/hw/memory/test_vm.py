from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from fencepost import Runtime
from fencepost.actors import Runtime as AnyRuntime
from fencepost.errors import WrongState
from fencepost.fences import Fence, Usage
from fencepost.hw.memory import PAGE_BYTES, BufferObject, MemoryManager, Placement, ProcessMemory, Vm
from fencepost.sync import current
from tests.searching import assert_clean

Placed = Callable[..., BufferObject]
PAGE = PAGE_BYTES


def test_addresses_lead_to_what_is_bound(memory: MemoryManager) -> None:
    vm, buffer = Vm(memory), memory.create(3 * PAGE, "a")
    binding = vm.bind(buffer, 10 * PAGE)
    assert [vm.is_mapped(number * PAGE) for number in (9, 10, 12, 13)] == [False, True, True, False]
    assert vm.lookup(12 * PAGE + 5) is binding
    assert vm.lookup(13 * PAGE) is None
    assert (buffer.placement, vm.bindings(), vm.buffers()) == (Placement.VRAM, (binding,), (buffer,))
    assert repr(binding) == "<a at 0xa000 to 0xd000 of vm>"


def test_a_part_can_be_bound_and_the_same_twice(memory: MemoryManager) -> None:
    vm, buffer = Vm(memory), memory.create(3 * PAGE)
    first, second = vm.bind(buffer, 0, PAGE, 2 * PAGE), vm.bind(buffer, PAGE)
    assert (first.size_bytes, first.offset_bytes, second.size_bytes) == (PAGE, 2 * PAGE, 3 * PAGE)
    assert vm.buffers() == (buffer,)
    assert vm.reservations() == (vm.reservation, buffer.reservation)


def test_unbound_addresses_lead_nowhere(memory: MemoryManager) -> None:
    vm, buffer = Vm(memory), memory.create(PAGE)
    binding = vm.bind(buffer, 0)
    assert vm.unbind(0) is binding
    assert not vm.is_mapped(0)
    assert (vm.bindings(), buffer.bindings) == ((), {})


def test_what_is_evicted_is_mapped_no_more_until_it_is_brought_back(memory: MemoryManager, placed: Placed) -> None:
    vm, buffer = Vm(memory), memory.create(4 * PAGE)
    binding = vm.bind(buffer, 0)
    placed("other", 1)
    assert (vm.is_mapped(0), vm.lookup(0)) == (False, binding)
    with vm.lock.write():
        vm.populate(binding)
    assert vm.is_mapped(0)


def test_who_brings_it_back_waits_for_who_moves_it(rt: Runtime, memory: MemoryManager, placed: Placed) -> None:
    """And for nobody else, as long as it need not move."""
    vm, buffer, used, moved = Vm(memory), placed("a", 1), Fence(), Fence()
    with buffer.reservation:
        buffer.reservation.reserve(2)
        buffer.reservation.add(used, Usage.WRITE)
        buffer.reservation.add(moved, Usage.KERNEL)
    task = rt.spawn(lambda: vm.bind(buffer, 0))
    while task.waiting_on is None:
        current().sleep(1e-4)
    assert task.waiting_on is moved
    moved.signal()
    task.join()
    assert vm.is_mapped(0)
    used.signal()


def test_all_that_is_bound_comes_back_at_once(memory: MemoryManager, placed: Placed) -> None:
    vm = Vm(memory)
    for number in range(2):
        vm.bind(memory.create(2 * PAGE), number * 2 * PAGE)
    placed("other", 4)
    assert not vm.unless_changed(lambda: pytest.fail("nothing is there"))
    with vm.lock.write(), vm.rebound():
        assert [reservation.holder for reservation in vm.reservations()] == [current().task()] * 3
        assert vm.unless_changed(lambda: None)
    assert [binding.valid for binding in vm.bindings()] == [True, True]


# Memory of a process.


def test_memory_of_a_process_is_mapped_until_the_process_takes_it_away(rt: Runtime, memory: MemoryManager) -> None:
    vm, process, used = Vm(memory), ProcessMemory("process"), Fence()
    vm.bind_userptr(process, 0, 2 * PAGE, 10 * PAGE)
    with vm.reservation:
        vm.reservation.reserve()
        vm.reservation.add(used, Usage.BOOKKEEP)
    task = rt.spawn(lambda: process.unmap(PAGE, PAGE))
    while task.waiting_on is None:
        current().sleep(1e-4)
    assert task.waiting_on is used
    # Whoever uses it still may, and nobody may begin to.
    assert vm.is_mapped(10 * PAGE)
    assert not vm.unless_changed(lambda: pytest.fail("it is going"))
    used.signal()
    task.join()
    assert not vm.is_mapped(10 * PAGE)


def test_it_is_brought_back_with_the_rest(memory: MemoryManager) -> None:
    vm, process = Vm(memory), ProcessMemory()
    vm.bind_userptr(process, 0, PAGE, 0)
    process.unmap(0, PAGE)
    with vm.lock.write(), vm.rebound():
        assert vm.unless_changed(lambda: None)
    assert vm.is_mapped(0)


def test_unbound_memory_of_a_process_is_its_own_affair(memory: MemoryManager) -> None:
    vm, process = Vm(memory), ProcessMemory()
    binding = vm.bind_userptr(process, 0, PAGE, 0)
    vm.unbind(0)
    vm.reservation.lock()
    vm.reservation.reserve()
    vm.reservation.add(Fence(), Usage.BOOKKEEP)
    vm.reservation.unlock()
    process.unmap(0, PAGE)
    assert not binding.valid


def test_nobody_begins_to_use_memory_that_goes() -> None:
    """A process takes memory away while work is brought back: one of the two sees the other."""

    def model(runtime: AnyRuntime) -> None:
        memory, process = MemoryManager(PAGE, PAGE), ProcessMemory()
        vm = Vm(memory)
        vm.bind_userptr(process, 0, PAGE, 0)
        fence = Fence()
        gone: list[bool] = []

        def unmap() -> None:
            process.unmap(0, PAGE)
            gone.append(True)

        def begin() -> None:
            with vm.lock.write(), vm.rebound():
                vm.reservation.reserve()
                if not vm.unless_changed(lambda: vm.reservation.add(fence, Usage.BOOKKEEP)):
                    return
            assert not gone or vm.is_mapped(0)
            used = vm.is_mapped(0)
            fence.signal()
            assert used, "the memory went while it was used"

        runtime.spawn(unmap)
        runtime.spawn(begin)

    assert_clean(model, schedules=400)


# What is refused.


def test_a_freed_buffer_is_not_bound(memory: MemoryManager) -> None:
    vm, buffer = Vm(memory), memory.create(PAGE, "old")
    buffer.free()
    with pytest.raises(OSError, match="<buffer old, 4096 bytes, nowhere> was freed") as refused:
        vm.bind(buffer, 0)
    assert refused.value.errno == errno.ENOENT
    assert (vm.bindings(), buffer.bindings) == ((), {})


@pytest.mark.parametrize(
    ("address", "size_bytes", "offset_bytes"),
    [
        (1, PAGE, 0),
        (-PAGE, PAGE, 0),
        (0, 0, 0),
        (0, PAGE + 1, 0),
        (0, -PAGE, 0),
        (0, PAGE, 1),
        (0, PAGE, -PAGE),
        (0, 3 * PAGE, 0),
        (0, PAGE, 2 * PAGE),
        (0, None, 2 * PAGE),
    ],
)
def test_a_range_that_cannot_be_is_refused(
    memory: MemoryManager, address: int, size_bytes: int | None, offset_bytes: int
) -> None:
    vm, buffer = Vm(memory), memory.create(2 * PAGE, "a")
    with pytest.raises(OSError, match="a") as refused:
        vm.bind(buffer, address, size_bytes, offset_bytes)
    assert refused.value.errno == errno.EINVAL
    assert (vm.bindings(), buffer.bindings, buffer.placement) == ((), {}, None)


@pytest.mark.parametrize("address", [9 * PAGE, 10 * PAGE, 11 * PAGE])
def test_ranges_do_not_overlap(memory: MemoryManager, address: int) -> None:
    vm, buffer, other = Vm(memory), memory.create(2 * PAGE, "a"), memory.create(2 * PAGE, "b")
    binding = vm.bind(buffer, 10 * PAGE)
    with pytest.raises(OSError, match=r"<b at .* of vm> overlaps <a at 0xa000 to 0xc000 of vm>") as refused:
        vm.bind(other, address)
    assert refused.value.errno == errno.EINVAL
    assert (vm.bindings(), other.bindings, other.placement) == ((binding,), {}, None)
    vm.bind(other, 8 * PAGE)
    vm.bind(buffer, 12 * PAGE)


def test_one_range_that_covers_another_overlaps_it(memory: MemoryManager) -> None:
    vm = Vm(memory)
    vm.bind(memory.create(PAGE), 10 * PAGE)
    with pytest.raises(OSError, match="overlaps"):
        vm.bind(memory.create(4 * PAGE), 8 * PAGE)


def test_memory_of_a_process_is_refused_likewise(memory: MemoryManager) -> None:
    vm, process = Vm(memory), ProcessMemory("process")
    vm.bind(memory.create(PAGE), 0)
    for user_address, size_bytes, address in ((1, PAGE, PAGE), (0, 0, PAGE), (0, PAGE, 1), (0, PAGE, 0)):
        with pytest.raises(OSError, match="process") as refused:
            vm.bind_userptr(process, user_address, size_bytes, address)
        assert refused.value.errno == errno.EINVAL
    assert len(vm.bindings()) == 1


def test_what_is_not_bound_cannot_be_unbound(memory: MemoryManager) -> None:
    vm = Vm(memory)
    binding = vm.bind(memory.create(2 * PAGE), 0)
    for address in (PAGE, 2 * PAGE):
        with pytest.raises(OSError, match=f"no binding begins at {address:#x} of vm") as refused:
            vm.unbind(address)
        assert refused.value.errno == errno.ENOENT
    assert vm.bindings() == (binding,)
    vm.unbind(0)
    with pytest.raises(OSError, match="no binding begins"):
        vm.unbind(0)
    with vm.lock.read(), pytest.raises(OSError, match="was unbound") as refused:
        vm.populate(binding)
    assert refused.value.errno == errno.ENOENT


def test_where_there_is_no_room_nothing_is_bound(memory: MemoryManager, placed: Placed) -> None:
    pinned, vm, buffer = placed("pinned", 4), Vm(memory), memory.create(PAGE)
    with pinned.reservation:
        pinned.pin()
    with pytest.raises(OSError, match="no room") as refused:
        vm.bind(buffer, 0)
    assert refused.value.errno == errno.ENOSPC
    assert (vm.bindings(), buffer.bindings) == ((), {})


def test_what_is_bound_is_populated_under_the_lock(memory: MemoryManager) -> None:
    vm = Vm(memory)
    binding = vm.bind(memory.create(PAGE), 0, populate=False)
    with pytest.raises(WrongState, match="does not hold <VmLock vm, free>"):
        vm.populate(binding)
    with pytest.raises(WrongState), vm.rebound():
        pass
    assert not vm.is_mapped(0)
