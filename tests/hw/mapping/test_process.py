from __future__ import annotations

import errno

import pytest

from fencepost import sync
from fencepost.errors import WrongState
from fencepost.hw.mapping import Client, Process
from fencepost.hw.memory import PAGE_BYTES, Placement
from fencepost.sync.virtual import VirtualWorld
from tests.fences.refusal import refused
from tests.hw.mapping.machine import Machine, at, now_ms


def start(machine: Machine, *devices: int) -> None:
    with machine.process.entered(machine.client, machine.arguments()):
        for device in devices:
            assert machine.process.map(machine.client, machine.handle, device)


def test_what_is_mapped_is_not_mapped_again(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    start(machine, 1, 2)
    assert now_ms() == 2
    with machine.process.entered(machine.client, machine.arguments()):
        assert not machine.process.map(machine.client, machine.handle, 1)
    assert (now_ms(), machine.mapped, machine.dispatches) == (2, (1, 2), [0, 1, 1, 0])


def test_the_first_gpu_gets_the_memory_and_the_last_gives_it_back(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    process, client, handle = machine.process, machine.client, machine.handle
    start(machine, 0, 1)
    with process.mutex:
        buffer = process.buffer(handle)
        assert (buffer.placement, buffer.pinned) == (Placement.VRAM, 1)
        process.unmap_for_good(client, handle, [0])
        process.unpin_unmapped(handle)
        assert buffer.pinned == 1
        process.unmap_for_good(client, handle, [0, 1])
        process.unpin_unmapped(handle)
        assert buffer.pinned == 0
        process.forget(handle)
        assert buffer.placement is None
    assert machine.usable == ()


def test_without_memory_nothing_is_mapped(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    other = machine.memory.create(PAGE_BYTES)
    with other.reservation:
        machine.memory.validate(other)
        other.pin()
    with refused(errno.ENOMEM, "no memory", "process buffer"):
        start(machine, 0)
    assert (machine.mapped, machine.dispatches[0], now_ms()) == ((), 0, 0)
    with other.reservation:
        other.unpin()
    start(machine, 0)


def test_a_gpu_that_fails_first_lets_the_memory_go(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    machine.gpus[0].slots = 0
    with refused(errno.ENOMEM, "gpu0"):
        start(machine, 0)
    with machine.process.mutex:
        assert not machine.process.buffer(machine.handle).pinned


def test_what_a_reset_lost_is_mapped_again(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    machine.gpus[0].hang()
    start(machine, 0, 1)
    machine.gpus[0].reset()
    with machine.process.mutex, refused(errno.EIO, "not mapped on process on gpu0"):
        machine.process.started(machine.handle, (0, 1))
    start(machine, 0)
    assert (machine.dispatches[:2], machine.violations) == ([2, 1], [])


def test_nobody_waits_for_what_nobody_has_started(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    start(machine, 0)
    with machine.process.mutex, refused(errno.EINVAL, "not mapped on process on gpu1"):
        machine.process.started(machine.handle, (0, 1))


def test_a_signal_comes_before_the_mutex(virtual: VirtualWorld) -> None:
    machine = Machine()

    def hold() -> None:
        with machine.process.mutex:
            virtual.sleep(0.005)

    virtual.spawn(hold, name="holder")
    virtual.sleep(0.001)
    at(2, machine.client.signal)
    with refused(errno.EINTR, "mutex"):
        start(machine, 0)
    assert (now_ms(), machine.mapped) == (2, ())
    with refused(errno.EINTR, "before client went on"):
        start(machine, 0)
    machine.client.interrupt.clear()
    start(machine, 0)
    assert now_ms() == 6


def test_a_buffer_that_is_not_there_is_refused(any_world: sync.World) -> None:  # noqa: ARG001
    machine = Machine(dispatch_us=0, update_us=0)
    for handle in (0, 2):
        arguments = machine.arguments()
        arguments.handle = handle
        with refused(errno.ENOENT, f"no buffer {handle}"), machine.process.entered(machine.client, arguments):
            raise AssertionError
    with machine.process.mutex:
        assert machine.process.buffer(machine.handle).size_bytes == PAGE_BYTES
    assert repr(machine.process) == "<process>"


def test_no_memory_is_let_go_that_a_gpu_can_get_to(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    start(machine, 0)
    with machine.process.mutex, pytest.raises(WrongState, match="gpu0"):
        machine.process.forget(machine.handle)


def test_unmapping_for_good_outlasts_signals_and_resets(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    start(machine, 0, 1)
    machine.gpus[1].hang()
    for when_ms in (5, 10, 15):
        at(when_ms, machine.client.signal)
    at(20, machine.gpus[1].reset)
    with machine.process.mutex:
        machine.process.unmap_for_good(machine.client, machine.handle, [0, 1])
    assert (machine.mapped, machine.usable) == ((), ())
    # 1 ms to dispatch what the reset has lost, and 5 ms to do it.
    assert now_ms() == 26


def test_revoking_takes_no_time(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    start(machine, 0, 1)
    at(6.5, lambda: None)
    machine.client.work(4_500_000)
    with machine.process.mutex:
        for device in (0, 1):
            machine.process.revoke(machine.handle, device)
    assert (machine.mapped, now_ms(), machine.violations) == ((), 6.5, [])
    start(machine, 0, 1)
    assert machine.dispatches[:2] == [2, 2]


def test_processes_share_the_engines_and_nothing_else(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine, client = Machine(2, pages=2), Client("other")
    other = Process(machine.gpus, machine.memory, update_us=5000, name="other")
    handle = other.allocate(PAGE_BYTES)
    start(machine, 0)
    with other.mutex:
        other.map(client, handle, 0)
        started = other.started(handle, (0,))
    other.finish(client, started)
    assert now_ms() == 11
    assert (other.usable(handle), machine.mapped, machine.usable) == ((0,), (0,), ())
