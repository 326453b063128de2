"""Taking mappings away, also while a buffer is being mapped: T5-4."""

from __future__ import annotations

import errno

import pytest

from fencepost import sync
from fencepost.hw.mapping import DESIGNS, Client, Touch, free, unmap
from fencepost.hw.memory import Placement
from fencepost.sync.virtual import VirtualWorld
from tests.fences.refusal import refused
from tests.hw.mapping.machine import Machine, answer, at, now_ms


def mapped_machine() -> Machine:
    machine = Machine()
    DESIGNS["A"](machine.process).map(machine.client, machine.arguments())
    return machine


def test_unmapped_is_what_no_gpu_can_get_to(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = mapped_machine()
    assert [table.touch(machine.handle) for table in machine.process.tables] == 4 * [Touch.DONE]
    unmap(machine.process, machine.client, machine.arguments(1, 3))
    # 2 ms to dispatch, and 5 to be done.
    assert (now_ms(), machine.mapped) == (16, (0, 2))
    touches = [table.touch(machine.handle) for table in machine.process.tables]
    assert touches == [Touch.DONE, Touch.FAULT, Touch.DONE, Touch.FAULT]


def test_what_is_not_mapped_is_not_unmapped(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    unmap(machine.process, machine.client, machine.arguments())
    assert now_ms() == 0


def test_a_signal_only_makes_it_wait_again(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = mapped_machine()
    for when_ms in (9.5, 14):
        at(when_ms, machine.client.signal)
    unmap(machine.process, machine.client, machine.arguments())
    assert (now_ms(), machine.client.restarts, machine.mapped) == (18, 2, ())


def test_what_a_reset_interrupts_is_still_mapped(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = mapped_machine()
    machine.gpus[2].hang()
    at(30, machine.gpus[2].reset)
    with refused(errno.EIO, "gpu2"):
        unmap(machine.process, machine.client, machine.arguments())
    assert machine.mapped == (2,)
    unmap(machine.process, machine.client, machine.arguments())
    assert not machine.mapped
    assert not machine.violations


def test_a_freed_buffer_gives_its_memory_back_and_is_gone(any_world: sync.World) -> None:  # noqa: ARG001
    machine = Machine(dispatch_us=0, update_us=10)
    DESIGNS["A"](machine.process).map(machine.client, machine.arguments())
    region = machine.memory.regions[Placement.VRAM]
    assert region.free_bytes == 0
    free(machine.process, machine.client, machine.handle)
    assert region.free_bytes == region.capacity_bytes
    assert (machine.mapped, machine.violations) == ((), [])
    with refused(errno.ENOENT, "no buffer 1"):
        free(machine.process, machine.client, machine.handle)
    with refused(errno.ENOENT):
        unmap(machine.process, machine.client, machine.arguments())


def test_what_is_still_being_mapped_can_be_freed(virtual: VirtualWorld) -> None:
    machine = Machine()
    design = DESIGNS["A"](machine.process)
    mapper = virtual.spawn(lambda: answer(design.map, machine.client, machine.arguments()), name="mapper")
    virtual.sleep(0.005)
    free(machine.process, Client("other"), machine.handle)
    assert mapper.join()
    assert (mapper.result, machine.mapped, machine.violations) == (0, (), [])


@pytest.mark.parametrize("name", DESIGNS)
def test_t5_4_unmapped_while_the_call_waits(virtual: VirtualWorld, name: str) -> None:
    """The other call comes second, so GPU 1 is not mapped in the end, whether it had to wait for the mutex or not."""
    machine = Machine()
    mapper = virtual.spawn(
        lambda: DESIGNS[name](machine.process).map(machine.client, machine.arguments()), name="mapper"
    )
    virtual.sleep(0.005)
    unmap(machine.process, Client("other"), machine.arguments(1))
    holds_mutex = name in ("A-held", "C", "C-free")
    # It is behind the mutex until 9, or maps and then unmaps from 7 to 12.
    assert now_ms() == (15 if holds_mutex else 12)
    assert mapper.join()
    assert mapper.error is None
    assert (machine.mapped, machine.usable, machine.violations) == ((0, 2, 3), (0, 2, 3), [])


@pytest.mark.parametrize("name", DESIGNS)
def test_t5_4_mapped_while_the_other_call_unmaps(virtual: VirtualWorld, name: str) -> None:
    machine = mapped_machine()
    other = virtual.spawn(lambda: unmap(machine.process, Client("other"), machine.arguments(1)), name="other")
    virtual.sleep(0.002)
    DESIGNS[name](machine.process).map(machine.client, machine.arguments())
    assert other.join()
    # Unmapped at 15, then dispatched again and mapped.
    assert (now_ms(), machine.usable, machine.violations) == (21, (0, 1, 2, 3), [])
    assert machine.dispatches == [1, 2, 1, 1]
