from __future__ import annotations

import errno

from fencepost.hw.mapping import OneByOne
from fencepost.sync.virtual import VirtualWorld
from tests.fences.refusal import refused
from tests.hw.mapping.machine import Machine, at, now_ms


def test_it_takes_a_call_for_each_gpu_and_one_to_wait(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine, arguments = Machine(), Machine().arguments()
    OneByOne(machine.process).map(machine.client, arguments)
    assert (now_ms(), machine.usable, machine.client.syscalls) == (9, (0, 1, 2, 3), 5)
    assert arguments.status == (0, 0, 0, 0)


def test_the_client_knows_which_gpu_failed(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine, arguments = Machine(), Machine().arguments()
    machine.gpus[2].slots = 0
    with refused(errno.ENOMEM, "gpu2"):
        OneByOne(machine.process).map(machine.client, arguments)
    assert (arguments.status, machine.mapped, machine.client.syscalls) == (
        (None, None, -errno.ENOMEM, None),
        (0, 1),
        3,
    )


def test_a_signal_concerns_the_call_that_it_meets(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    for when_ms in (1.5, 5, 6.5):
        at(when_ms, machine.client.signal)
    OneByOne(machine.process).map(machine.client, machine.arguments())
    assert (machine.client.restarts, machine.dispatches, now_ms()) == (2, [1, 1, 1, 1], 9)


def test_the_others_are_usable_while_one_hangs(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine, arguments = Machine(), Machine().arguments()
    machine.gpus[1].hang()
    usable: list[tuple[int, ...]] = []
    at(20, lambda: usable.append(machine.usable))
    at(50, machine.gpus[1].reset)
    with refused(errno.EIO, "device 1 of 4"):
        OneByOne(machine.process).map(machine.client, arguments)
    assert (usable, machine.usable, now_ms()) == ([(0, 2, 3)], (0, 2, 3), 50)
    assert arguments.status == (0, -errno.EIO, 0, 0)
