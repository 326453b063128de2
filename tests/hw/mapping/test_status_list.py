from __future__ import annotations

import errno

from fencepost.hw.mapping import Arguments, Client, StatusList
from fencepost.sync.virtual import VirtualWorld
from tests.fences.refusal import refused
from tests.hw.mapping.machine import Machine, at, now_ms


def test_all_but_the_one_that_failed_are_usable(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine, arguments = Machine(), Machine().arguments()
    machine.gpus[1].slots = 0
    with refused(errno.ENOMEM, "device 1 of 4"):
        StatusList(machine.process).map(machine.client, arguments)
    assert (machine.usable, arguments.status) == ((0, 2, 3), (0, -errno.ENOMEM, 0, 0))
    assert (now_ms(), machine.client.syscalls) == (9, 1)


def test_a_call_that_is_made_again_leaves_alone_what_has_a_status(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine, seen = Machine(), list[object]()

    def look(arguments: Arguments) -> None:
        seen.append(arguments.status)
        machine.gpus[1].slots = 1

    machine.gpus[1].slots = 0
    client = Client(on_signal=look)
    arguments = machine.arguments()
    at(6.5, client.signal)
    with refused(errno.ENOMEM, "device 1"):
        StatusList(machine.process).map(client, arguments)
    assert seen == [(0, -errno.ENOMEM, None, None)]
    assert (machine.dispatches, client.restarts) == ([1, 0, 1, 1], 1)
    StatusList(machine.process).map(client, arguments)
    assert (machine.dispatches, arguments.status) == ([1, 1, 1, 1], (0, 0, 0, 0))


def test_a_list_that_the_client_made_longer_is_refused(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    client = Client(on_signal=lambda arguments: setattr(arguments, "devices", (0, 1, 2, 3)))
    at(5, client.signal)
    with refused(errno.EINVAL, "status list of 2 for 4"):
        StatusList(machine.process).map(client, machine.arguments(0, 1))
    assert machine.mapped == (0, 1)


def test_one_that_hangs_keeps_no_other_from_use(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine, arguments = Machine(), Machine().arguments()
    machine.gpus[0].hang()
    usable: list[tuple[int, ...]] = []
    at(20, lambda: usable.append(machine.usable))
    at(50, machine.gpus[0].reset)
    with refused(errno.EIO, "device 0 of 4"):
        StatusList(machine.process).map(machine.client, arguments)
    assert (usable, now_ms()) == ([(1, 2, 3)], 50)
    assert arguments.status == (-errno.EIO, 0, 0, 0)
