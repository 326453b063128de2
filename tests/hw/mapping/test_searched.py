"""Mapping under search: what may come at any moment, and all schedules within a bound."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from fencepost import Runtime
from fencepost.checks import Model, explore
from fencepost.fences import Interrupt
from fencepost.hw.mapping import DESIGNS, Client, PageTable, Process, Sdma, Touch, free, unmap
from fencepost.hw.mapping.ledger import Ledger
from fencepost.hw.memory import Placement
from tests.hw.mapping.machine import Machine, answer
from tests.searching import assert_clean

Outcomes = set[tuple[object, ...]]
Other = Callable[[Machine], object]

HOLDING = ["A-held", "C", "C-free"]
"""Who holds the mutex until the end."""

DROPPING = [name for name in DESIGNS if name not in HOLDING]


def small() -> Machine:
    """Two GPUs, which is where one can be ahead of the other, and no time but that of the SDMA engines."""
    return Machine(2, dispatch_us=0, update_us=1)


def beside(name: str, other: Other, outcomes: Outcomes) -> Model:
    """Map a buffer while something else goes on; collect what it comes to."""

    def model(rt: Runtime) -> None:
        machine = small()
        design, arguments = DESIGNS[name](machine.process), machine.arguments()
        mapper = rt.spawn(lambda: answer(design.map, machine.client, arguments), "mapper")
        rival = rt.spawn(lambda: other(machine), "rival")
        mapper.join()
        rival.join()
        assert machine.violations == []
        outcomes.add((mapper.result, rival.result, machine.usable, machine.process.ledger.overtaken > 0))

    return model


def searched(model: Model) -> None:
    """Search all there is with one preemption. With two it is 20 000 schedules or more, with the same outcome."""
    report = explore(model, strategy="dfs1", schedules=10_000, timers="free", fields={Interrupt: "_pending"})
    assert not report.found, str(report)
    assert report.scope == "all with at most 1 preemptions"


def unmap_one(machine: Machine) -> int:
    return answer(unmap, machine.process, Client("rival"), machine.arguments(1))


def free_it(machine: Machine) -> int:
    return answer(free, machine.process, Client("rival"), machine.handle)


def reset_one(machine: Machine) -> None:
    machine.gpus[1].reset()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["A", "A-held", "B", "C", "E"])
def test_a_signal_may_come_at_any_moment(name: str) -> None:
    outcomes = Outcomes()
    searched(beside(name, lambda machine: machine.client.signal(), outcomes))
    assert outcomes == {(0, None, (0, 1), False)}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["A-held", "C"])
def test_t5_4_with_the_mutex_held_success_is_true_when_it_is_told(name: str) -> None:
    outcomes = Outcomes()
    searched(beside(name, unmap_one, outcomes))
    assert outcomes == {(0, 0, (0, 1), False), (0, 0, (0,), False)}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["A", "B", "E"])
def test_t5_4_without_it_success_may_be_overtaken(name: str) -> None:
    """The last call that was at the mutex decides; the other may tell of its success later than that."""
    outcomes = Outcomes()
    searched(beside(name, unmap_one, outcomes))
    assert outcomes == {(0, 0, (0, 1), False), (0, 0, (0,), False), (0, 0, (0,), True)}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["A", "A-held"])
def test_t5_4_freed_memory_is_used_by_nobody(name: str) -> None:
    """Freeing refuses (WrongState) while a GPU can get there; the design may find the buffer or not."""
    outcomes = Outcomes()
    searched(beside(name, free_it, outcomes))
    assert {outcome[:3] for outcome in outcomes} == {(0, 0, ()), (errno.ENOENT, 0, ())}
    if name in HOLDING:
        assert not any(overtaken for *_, overtaken in outcomes)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["A", "A-held", "A0", "B"])
def test_two_clients_that_map_the_same_buffer_dispatch_once(name: str) -> None:
    outcomes = Outcomes()

    def map_too(machine: Machine) -> int:
        return answer(DESIGNS[name](machine.process).map, Client("rival"), machine.arguments())

    searched(beside(name, map_too, outcomes))
    assert outcomes == {(0, 0, (0, 1), False)}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["A", "A-held", "B", "C", "E"])
def test_t5_5_a_reset_at_any_moment_is_an_error_or_came_too_early_or_too_late(name: str) -> None:
    outcomes = Outcomes()
    searched(beside(name, reset_one, outcomes))
    partly = (0,) if name == "E" else ()
    assert outcomes == {(0, None, (0, 1), False), (errno.EIO, None, partly, False)}


@pytest.mark.slow
def test_an_undo_pulls_pages_from_under_a_gpu_and_a_resuming_call_does_not() -> None:
    for name, may_be_lost in (("A", False), ("B", False), ("E", False), ("C", True)):
        lost: set[bool] = set()

        def model(rt: Runtime, name: str = name, lost: set[bool] = lost) -> None:
            machine, touches = small(), list[Touch]()
            machine.gpus[1].slots = 0

            def use() -> None:
                for times in range(3):
                    rt.world.sleep_until(times * 1000)
                    touches.append(machine.process.tables[0].touch(machine.handle))

            design = DESIGNS[name](machine.process)
            mapper = rt.spawn(lambda: answer(design.map, machine.client, machine.arguments()))
            user = rt.spawn(use)
            mapper.join()
            user.join()
            assert mapper.result == errno.ENOMEM
            first = touches.index(Touch.DONE) if Touch.DONE in touches else len(touches)
            lost.add(any(touch is not Touch.DONE for touch in touches[first:]))

        searched(model)
        assert (True in lost) == may_be_lost, name


@pytest.mark.parametrize("name", ["A", "B", "C", "E"])
@pytest.mark.parametrize("other", [unmap_one, free_it, reset_one])
def test_a_few_schedules_of_each_find_nothing(name: str, other: Other) -> None:
    report = explore(beside(name, other, Outcomes()), schedules=30, timers="free", fields={Interrupt: "_pending"})
    assert not report.found, str(report)


def test_what_the_locks_protect_is_protected() -> None:
    """Each access to what is shared is a step, so that a lock that is missing shows."""
    fields = {Ledger: "overtaken", Process: "_last_handle", Sdma: "_updates _hangs", PageTable: "_entries _tlb"}

    def model(rt: Runtime) -> None:
        machine = small()
        design = DESIGNS["A"](machine.process)
        clients = [
            rt.spawn(lambda: answer(design.map, machine.client, machine.arguments())),
            rt.spawn(lambda: answer(unmap, machine.process, Client("other"), machine.arguments(1))),
            rt.spawn(machine.gpus[0].reset),
        ]
        for client in clients:
            client.join()
        assert machine.violations == []
        answer(free, machine.process, machine.client, machine.handle)
        assert machine.memory.regions[Placement.VRAM].used_bytes == 0

    report = explore(model, schedules=40, timers="free", observe=True, fields=fields)
    assert not report.found, str(report)
    assert_clean(model, schedules=20, timers="free")
