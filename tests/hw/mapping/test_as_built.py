"""The call as it was built: T5-2, T5-3, T5-6, and what the client is told."""

from __future__ import annotations

import errno

import pytest

from fencepost.hw.mapping import Arguments, AsBuilt, Client, free
from fencepost.hw.memory import Placement
from fencepost.sync.virtual import VirtualWorld
from tests.fences.refusal import refused
from tests.hw.mapping.machine import Machine, answer, at, now_ms


def test_all_are_dispatched_and_then_waited_for(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine, arguments = Machine(), Machine().arguments()
    AsBuilt(machine.process).map(machine.client, arguments)
    assert (now_ms(), machine.usable, arguments.n_success) == (9, (0, 1, 2, 3), 4)
    assert (machine.client.syscalls, machine.client.restarts, machine.dispatches) == (1, 0, [1, 1, 1, 1])


def test_t5_2_a_second_call_goes_on_where_the_first_failed(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    design, arguments = AsBuilt(machine.process), machine.arguments()
    machine.gpus[2].slots = 0
    with refused(errno.ENOMEM, "gpu2"):
        design.map(machine.client, arguments)
    assert (arguments.n_success, machine.mapped, machine.usable) == (2, (0, 1), ())
    machine.gpus[2].slots = 1
    design.map(machine.client, arguments)
    assert (arguments.n_success, machine.usable, machine.dispatches) == (4, (0, 1, 2, 3), [1, 1, 1, 1])


def test_t5_3_an_n_success_that_the_client_made_up_is_refused(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    client = Client(on_signal=lambda arguments: setattr(arguments, "n_success", 5))
    arguments = machine.arguments()
    at(6, client.signal)
    with refused(errno.EINVAL, "n_success of 5 for 4"):
        AsBuilt(machine.process).map(client, arguments)
    assert (machine.mapped, machine.dispatches, now_ms()) == ((0, 1, 2, 3), [1, 1, 1, 1], 6)
    arguments.n_success = 0
    AsBuilt(machine.process).map(client, arguments)
    assert (machine.usable, machine.dispatches) == ((0, 1, 2, 3), [1, 1, 1, 1])


def test_t5_3_a_list_that_the_client_changed_maps_nothing_twice(virtual: VirtualWorld) -> None:  # noqa: ARG001
    """With n_success at 2 of another list the call passes over what it has not mapped, and does not say it had."""
    machine = Machine()

    def change(arguments: Arguments) -> None:
        arguments.devices = (2, 3, 0, 1)

    client = Client(on_signal=change)
    design, arguments = AsBuilt(machine.process, polls=True), machine.arguments()
    at(2, client.signal)
    with refused(errno.EINVAL, "not mapped on process on gpu2"):
        design.map(client, arguments)
    assert (arguments.n_success, machine.dispatches) == (4, [1, 1, 0, 0])
    arguments.n_success = 0
    design.map(client, arguments)
    assert (machine.usable, machine.dispatches, machine.violations) == ((0, 1, 2, 3), [1, 1, 1, 1], [])


def test_t5_3_without_n_success_a_changed_list_does_no_harm(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()

    def change(arguments: Arguments) -> None:
        arguments.devices = (2, 3, 0, 1)

    client = Client(on_signal=change)
    at(2, client.signal)
    AsBuilt(machine.process, counts=False, polls=True).map(client, machine.arguments())
    assert (machine.usable, machine.dispatches, client.restarts) == ((0, 1, 2, 3), [1, 1, 1, 1], 1)


def test_t5_6_what_cannot_be_told_is_done_all_the_same(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    design, arguments = AsBuilt(machine.process), machine.arguments()
    machine.gpus[3].slots = 0
    at(2.5, lambda: setattr(arguments, "writable", False))
    with refused(errno.EFAULT):
        design.map(machine.client, arguments)
    assert (arguments.n_success, machine.mapped) == (0, (0, 1, 2))
    arguments.writable = True
    machine.gpus[3].slots = 1
    design.map(machine.client, arguments)
    assert (machine.usable, machine.dispatches, arguments.n_success) == ((0, 1, 2, 3), [1, 1, 1, 1], 4)


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("holds_mutex", [True, False])
def test_t5_5_a_reset_fails_the_wait_and_nothing_is_usable(
    virtual: VirtualWorld,  # noqa: ARG001
    counts: bool,  # noqa: FBT001
    holds_mutex: bool,  # noqa: FBT001
) -> None:
    machine = Machine()
    design = AsBuilt(machine.process, counts=counts, holds_mutex=holds_mutex)
    arguments = machine.arguments()
    machine.gpus[1].hang()
    at(50, machine.gpus[1].reset)
    with refused(errno.EIO, "gpu1"):
        design.map(machine.client, arguments)
    assert (now_ms(), machine.mapped, machine.usable) == (50, (0, 2, 3), ())
    if counts:
        # It is not taken for done because of what was told: only who begins anew maps what was lost.
        assert arguments.n_success == 4
        with refused(errno.EIO, "not mapped on process on gpu1"):
            design.map(machine.client, arguments)
        arguments.n_success = 0
    design.map(machine.client, arguments)
    assert (machine.usable, machine.dispatches, machine.violations) == ((0, 1, 2, 3), [1, 2, 1, 1], [])


def test_while_it_polls_it_goes_on_at_the_gpu_it_was_at(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine, told = Machine(), list[int]()
    client = Client(on_signal=lambda arguments: told.append(arguments.n_success))
    for when_ms in (0.5, 2.5, 7):
        at(when_ms, client.signal)
    AsBuilt(machine.process, polls=True).map(client, machine.arguments())
    assert (told, now_ms(), machine.dispatches) == ([1, 3, 4], 9, [1, 1, 1, 1])


@pytest.mark.parametrize(("holds_mutex", "free_at_ms"), [(True, 9), (False, 4)])
def test_the_mutex_is_held_over_the_wait_or_not(
    virtual: VirtualWorld,
    holds_mutex: bool,  # noqa: FBT001
    free_at_ms: int,
) -> None:
    machine = Machine()
    design = AsBuilt(machine.process, holds_mutex=holds_mutex)
    mapper = virtual.spawn(lambda: design.map(machine.client, machine.arguments()), name="mapper")
    virtual.sleep(0.001)
    with machine.process.mutex:
        assert now_ms() == free_at_ms
    assert mapper.join()


def test_use_1_a_buffer_that_could_not_be_mapped_everywhere_is_freed(virtual: VirtualWorld) -> None:  # noqa: ARG001
    """The runtime library gives up the allocation; its GPUs have the buffer, and the SDMA engines are still at it."""
    machine = Machine()
    machine.gpus[2].slots = 0
    assert answer(AsBuilt(machine.process).map, machine.client, machine.arguments()) == errno.ENOMEM
    assert machine.mapped == (0, 1)
    free(machine.process, machine.client, machine.handle)
    assert machine.memory.regions[Placement.VRAM].used_bytes == 0
    assert not machine.mapped
    assert answer(AsBuilt(machine.process).map, machine.client, machine.arguments()) == errno.ENOENT


def test_use_2_a_live_buffer_stays_where_it_was_when_more_cannot_be_had(virtual: VirtualWorld) -> None:  # noqa: ARG001
    """Access for more GPUs is asked for, and one fails: who had it has it, what was added stays, the rest faults."""
    machine = Machine()
    design = AsBuilt(machine.process)
    design.map(machine.client, machine.arguments(0))
    machine.gpus[2].slots = 0
    arguments = machine.arguments()
    assert answer(design.map, machine.client, arguments) == errno.ENOMEM
    machine.client.work(10_000_000)
    touches = [table.touch(machine.handle) for table in machine.process.tables]
    assert (arguments.n_success, machine.mapped, machine.usable) == (2, (0, 1), (0,))
    assert [touch.value for touch in touches] == ["done", "done", "fault", "fault"]
