from __future__ import annotations

import errno

import pytest

from fencepost.hw.mapping import Arguments, AsBuilt, Client, Touch, Transactional
from fencepost.sync.virtual import VirtualWorld
from tests.fences.refusal import refused
from tests.hw.mapping.machine import Machine, at, now_ms


@pytest.mark.parametrize("when_ms", [0.5, 1.5, 3.5, 4.5, 6.5, 8.5])
@pytest.mark.parametrize("at_once", [True, False])
def test_what_a_signal_breaks_off_has_had_no_effect(virtual: VirtualWorld, when_ms: float, at_once: bool) -> None:  # noqa: ARG001, FBT001
    machine, seen = Machine(), list[object]()

    def look(_arguments: Arguments) -> None:
        with machine.process.mutex:
            pinned = machine.process.buffer(machine.handle).pinned
        seen.append((machine.mapped, pinned))

    client = Client(on_signal=look)
    at(when_ms, client.signal)
    Transactional(machine.process, at_once=at_once).map(client, machine.arguments())
    assert seen == [((), 0)]
    assert (machine.usable, client.restarts, machine.violations) == ((0, 1, 2, 3), 1, [])


def test_undoing_waits_for_what_is_on_its_way_and_for_its_reversal(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    machine.gpus[2].slots = 0
    with refused(errno.ENOMEM, "gpu2"):
        Transactional(machine.process).map(machine.client, machine.arguments())
    # Found out at 3; undoing is dispatched by 5, and GPU 1 maps until 7 and unmaps until 12.
    assert (now_ms(), machine.mapped) == (12, ())


def test_what_others_had_mapped_is_not_undone(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    AsBuilt(machine.process).map(machine.client, machine.arguments(1))
    machine.gpus[2].slots = 0
    with refused(errno.ENOMEM):
        Transactional(machine.process).map(machine.client, machine.arguments())
    assert (machine.mapped, machine.usable) == ((1,), (1,))


def test_undoing_hangs_where_the_engine_hangs(virtual: VirtualWorld) -> None:
    machine = Machine()
    machine.gpus[1].hang()
    design = Transactional(machine.process)
    client = virtual.spawn(lambda: refused_with(errno.EINTR, design, machine), name="client")
    at(20, machine.client.kill)
    assert not client.join(10.0)
    machine.gpus[1].reset()
    assert client.join()
    assert client.error is None
    assert machine.mapped == ()


def refused_with(number: int, design: Transactional, machine: Machine) -> None:
    with refused(number):
        design.map(machine.client, machine.arguments())


def test_what_runs_on_a_gpu_loses_its_pages(virtual: VirtualWorld) -> None:
    machine, touches = Machine(), list[Touch]()
    at(8.5, machine.client.signal)
    mapper = virtual.spawn(
        lambda: Transactional(machine.process).map(machine.client, machine.arguments()), name="client"
    )
    for when_ms in (6.5, 8, 16, 30):
        virtual.sleep_until(round(when_ms * 1e6))
        touches.append(machine.process.tables[0].touch(machine.handle))
    assert mapper.join()
    assert touches == [Touch.DONE, Touch.DONE, Touch.FAULT, Touch.DONE]


def test_an_undo_finds_room_where_there_is_none(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    for sdma in machine.gpus[:2]:
        sdma.slots = 1
    machine.gpus[2].slots = 0
    with refused(errno.ENOMEM, "gpu2"):
        Transactional(machine.process).map(machine.client, machine.arguments())
    assert machine.mapped == ()
