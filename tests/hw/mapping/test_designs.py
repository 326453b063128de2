"""What holds for each design: bad input, signals at every point, and T5-1, the storm."""

from __future__ import annotations

import errno
from itertools import combinations

import pytest

from fencepost import Runtime, sync
from fencepost.hw.mapping import DESIGNS, Arguments, Client
from fencepost.sync.virtual import VirtualWorld
from tests.fences.refusal import refused
from tests.hw.mapping.machine import Machine, at, now_ms

RESUMING = [name for name in DESIGNS if not name.startswith("C")]


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("gpus", range(1, 9))
def test_up_to_eight_gpus_are_mapped(virtual: VirtualWorld, name: str, gpus: int) -> None:  # noqa: ARG001
    machine = Machine(gpus)
    DESIGNS[name](machine.process).map(machine.client, machine.arguments())
    assert (now_ms(), machine.usable, machine.violations) == (gpus + 5, tuple(range(gpus)), [])
    assert machine.client.syscalls == {"B": 2, "D": gpus + 1}.get(name, 1)


@pytest.mark.parametrize("name", DESIGNS)
def test_it_works_in_any_world(any_world: sync.World, name: str) -> None:  # noqa: ARG001
    machine = Machine(dispatch_us=0, update_us=100)
    DESIGNS[name](machine.process).map(machine.client, machine.arguments())
    assert (machine.usable, machine.violations) == ((0, 1, 2, 3), [])


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize(
    ("devices", "number", "said"),
    [
        ((), errno.EINVAL, "0 devices"),
        ((0, 1, 1), errno.EINVAL, "device 1 twice"),
        ((0, 4), errno.ENODEV, "device 4"),
        (tuple(range(9)), errno.EINVAL, "9 devices"),
    ],
)
def test_bad_lists_are_refused_and_nothing_is_changed(
    virtual: VirtualWorld,  # noqa: ARG001
    name: str,
    devices: tuple[int, ...],
    number: int,
    said: str,
) -> None:
    machine = Machine()
    arguments = Arguments(machine.handle, devices)
    with refused(number, said):
        DESIGNS[name](machine.process).map(machine.client, arguments)
    assert (machine.mapped, machine.dispatches, now_ms()) == ((), [0, 0, 0, 0], 0)
    assert (arguments.n_success, arguments.fence) == (0, 0)


@pytest.mark.parametrize("name", DESIGNS)
def test_a_freed_buffer_is_refused(virtual: VirtualWorld, name: str) -> None:  # noqa: ARG001
    machine = Machine()
    with machine.process.mutex:
        machine.process.forget(machine.handle)
    with refused(errno.ENOENT, "no buffer 1"):
        DESIGNS[name](machine.process).map(machine.client, machine.arguments())
    assert now_ms() == 0


def signalled(
    name: str, times_ms: tuple[float, ...], *, pending: bool
) -> tuple[Machine, Client, list[tuple[int, ...]]]:
    """Map a buffer in a world of its own, with signals at certain times; return what was there at each."""
    with Runtime(world="virtual", events=False) as rt:
        machine, seen = Machine(3), list[tuple[int, ...]]()
        client = Client(pending=pending, on_signal=lambda _: seen.append(machine.mapped))
        for when_ms in times_ms:
            at(when_ms, client.signal)
        mapper = rt.spawn(lambda: DESIGNS[name](machine.process).map(client, machine.arguments()))
        assert mapper.join()
        assert (machine.usable, machine.violations) == ((0, 1, 2), [])
        machine.client.work(0)
        if name in RESUMING:
            assert now_ms() == 8
    return machine, client, seen


POINTS_MS = [step / 4 for step in range(33)]
"""All through a call that takes 8 ms: before, while and after each dispatch, in the wait, and at its end."""


@pytest.mark.parametrize("pending", [True, False])
@pytest.mark.parametrize("name", RESUMING)
def test_signals_at_any_two_points_cost_a_resuming_call_nothing(name: str, pending: bool) -> None:  # noqa: FBT001
    for times_ms in combinations(POINTS_MS[::2], 2):
        machine, client, _ = signalled(name, times_ms, pending=pending)
        assert machine.dispatches == [1, 1, 1]
        assert client.restarts <= 2


@pytest.mark.parametrize("name", ["C", "C-free"])
def test_a_signal_at_any_point_leaves_nothing_of_a_transactional_call(name: str) -> None:
    for when_ms in POINTS_MS:
        _, client, seen = signalled(name, (when_ms,), pending=True)
        assert client.restarts == (when_ms < 8)
        assert seen == [() if when_ms < 8 else (0, 1, 2)]


def stormed(name: str, period_ms: int, *, pending: bool, limit_ms: int = 10_000) -> tuple[float | None, int, int]:
    """Return when a design ended, its restarts and dispatches, under a signal each period for so long."""
    with Runtime(world="virtual", events=False) as rt:
        machine, client = Machine(), Client(pending=pending)
        ended_ms: list[float] = []

        def mapper() -> None:
            DESIGNS[name](machine.process).map(client, machine.arguments())
            ended_ms.append(now_ms())

        def strike(when_ms: int) -> None:
            if not ended_ms:
                client.signal()
                if when_ms + period_ms <= limit_ms:
                    at(when_ms + period_ms, lambda: strike(when_ms + period_ms))

        task = rt.spawn(mapper)
        at(period_ms, lambda: strike(period_ms))
        # The last signal is at the limit, and 0.5 ms later nothing else has been dispatched.
        task.join((limit_ms + 0.5) / 1000)
        seen = (ended_ms[0] if ended_ms else None, client.restarts, machine.process.ledger.dispatches)
        assert machine.violations == []
    return seen


@pytest.mark.parametrize("name", ["A", "A-held", "A0", "B", "D", "E"])
@pytest.mark.parametrize(("period_ms", "restarts"), [(2, 2), (4, 1), (8, 1), (9, 0), (10, 0)])
def test_t5_1_a_storm_does_not_keep_a_resuming_call_from_its_end(name: str, period_ms: int, restarts: int) -> None:
    assert stormed(name, period_ms, pending=False) == (9, restarts, 4)


@pytest.mark.parametrize(("period_ms", "restarts"), [(2, 3), (4, 2), (8, 1), (9, 0)])
def test_t5_1_as_a_kernel_keeps_signals(period_ms: int, restarts: int) -> None:
    """The signal that came while the call was busy ends its wait at once: one restart more, and no later end."""
    assert stormed("A", period_ms, pending=True) == (9, restarts, 4)
    # The fence is returned before that, and the signal handled then.
    assert stormed("B", period_ms, pending=True) == (9, {2: 2, 4: 1, 8: 1, 9: 0}[period_ms], 4)


@pytest.mark.slow
@pytest.mark.parametrize("pending", [True, False])
@pytest.mark.parametrize(
    ("period_ms", "expected"),
    [
        (2, (None, 5000, 10_000)),
        (4, (None, 2500, 10_000)),
        (8, (None, 1250, 5000)),
        (9, (9, 0, 4)),
        (10, (9, 0, 4)),
    ],
)
def test_t5_1_a_call_that_undoes_never_ends(period_ms: int, expected: tuple[object, ...], pending: bool) -> None:  # noqa: FBT001
    assert stormed("C-free", period_ms, pending=pending) == expected


@pytest.mark.parametrize(("period_ms", "restarts", "dispatches"), [(2, 50, 100), (4, 25, 100), (8, 12, 48)])
def test_t5_1_nor_in_a_shorter_storm(period_ms: int, restarts: int, dispatches: int) -> None:
    ended_ms, *seen = stormed("C-free", period_ms, pending=False, limit_ms=100)
    assert ended_ms is None
    assert seen == [restarts, dispatches + (4 if period_ms == 8 else 0)]


@pytest.mark.parametrize("period_ms", [2, 4, 8])
def test_t5_1_undoing_by_hardware_makes_it_worse(period_ms: int) -> None:
    ended_ms, restarts, _ = stormed("C", period_ms, pending=False, limit_ms=1000)
    assert ended_ms is None
    assert restarts < 1000 / period_ms
