"""Whatever signals, failures and resets come: the call ends with all mapped, or says truly how far it got."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fencepost import Runtime
from fencepost.hw.mapping import DESIGNS, Arguments, AsBuilt, Client, Design, FenceReturning, Sdma
from tests.hw.mapping.machine import Machine, answer, at, now_ms

GPUS = 3
QUIET_MS = 100
"""Nothing happens any more from then on."""

times_ms = st.integers(0, 200).map(lambda number: number / 4)
devices = st.integers(0, GPUS - 1)


@st.composite
def disturbances(draw: st.DrawFn) -> list[tuple[str, float, int]]:
    """Draw what happens, when, and to which GPU."""
    kinds = st.sampled_from(["signal", "full", "room", "hang", "reset"])
    return draw(st.lists(st.tuples(kinds, times_ms, devices), max_size=12))


def disturb(machine: Machine, client: Client, plan: list[tuple[str, float, int]]) -> None:
    """Arm what is to happen. In the end all engines work, and have room."""

    def let(sdma: Sdma, slots: int) -> None:
        sdma.slots = slots

    for kind, when_ms, device in plan:
        sdma = machine.gpus[device]
        functions: dict[str, Callable[[], object]] = {
            "signal": client.signal,
            "full": partial(let, sdma, 0),
            "room": partial(let, sdma, 64),
            "hang": sdma.hang,
            "reset": sdma.reset,
        }
        at(when_ms, functions[kind])
    for sdma in machine.gpus:
        at(QUIET_MS, sdma.reset)
        at(QUIET_MS, partial(let, sdma, 64))


def converge(design: Design, machine: Machine, client: Client, *, from_told: bool) -> None:
    """Call again and again, as a stubborn client would, and check each time what it was told."""
    arguments = machine.arguments()
    while error := answer(design.map, client, arguments):
        check_truth(design, machine, arguments, error)
        if error != errno.ENOMEM or not from_told:
            # An update was lost: only who begins anew finds out which.
            arguments = machine.arguments()
        client.work(1_000_000)
        assert now_ms() < QUIET_MS + 50, "it does not converge"


def check_truth(design: Design, machine: Machine, arguments: Arguments, error: int) -> None:
    assert error in (errno.ENOMEM, errno.EIO, errno.ECANCELED)
    if isinstance(design, AsBuilt) and design.counts:
        told = arguments.n_success
        assert all(count > 0 for count in machine.dispatches[:told])
        if error == errno.ENOMEM:
            assert told < GPUS
            assert told not in machine.mapped
        else:
            assert told == GPUS
            assert machine.mapped != tuple(range(GPUS))


@pytest.mark.slow
@given(disturbances(), st.sampled_from(["A", "A-held", "A-polls", "A0", "B"]), st.booleans(), st.booleans())
def test_it_converges(
    plan: list[tuple[str, float, int]],
    name: str,
    from_told: bool,  # noqa: FBT001
    pending: bool,  # noqa: FBT001
) -> None:
    with Runtime(world="virtual", events=False) as rt:
        machine, client = Machine(GPUS), Client(pending=pending)
        design = DESIGNS[name](machine.process)
        assert isinstance(design, AsBuilt | FenceReturning)
        disturb(machine, client, plan)
        task = rt.spawn(lambda: converge(design, machine, client, from_told=from_told))
        task.join()
        assert task.error is None
        assert (machine.usable, machine.violations) == (tuple(range(GPUS)), [])
        lost = [machine.process.ledger.undone((machine.handle, device)) for device in range(GPUS)]
        assert machine.dispatches == [1 + count for count in lost]


@pytest.mark.slow
@given(st.lists(times_ms, max_size=20), st.sampled_from(["A", "A-held", "A-polls", "A0", "B", "D", "E"]), st.booleans())
def test_signals_alone_never_cost_a_second_dispatch(when_ms: list[float], name: str, pending: bool) -> None:  # noqa: FBT001
    with Runtime(world="virtual", events=False) as rt:
        machine, client = Machine(GPUS), Client(pending=pending)
        for each in when_ms:
            at(each, client.signal)
        task = rt.spawn(lambda: DESIGNS[name](machine.process).map(client, machine.arguments()))
        task.join()
        assert task.error is None
        assert (machine.usable, machine.dispatches, machine.violations) == ((0, 1, 2), [1, 1, 1], [])
        assert now_ms() == GPUS + 5
