"""Mapping on real threads: clients, signals, resets, all at once. Only what holds in the end is looked at."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from fencepost import sync
from fencepost.checks.observers import Observers
from fencepost.hw.mapping import DESIGNS, Client, free, unmap
from fencepost.hw.memory import Placement
from fencepost.sync.observed import ObservedWorld
from tests.hw.mapping.machine import Machine, answer

ROUNDS = 5


@pytest.fixture(params=["native", "observed"])
def threads(request: pytest.FixtureRequest) -> Iterator[sync.World]:
    """A world of threads, plain and watched."""
    observers = Observers()
    world = sync.NativeWorld() if request.param == "native" else ObservedWorld(observers)
    world.enter()
    yield world
    assert world.close() == []
    assert world.failures == []
    assert observers.findings == ()


@pytest.mark.parametrize("name", DESIGNS)
def test_signalled_again_and_again_it_ends(threads: sync.World, name: str) -> None:
    machine = Machine(2, dispatch_us=0, update_us=200)
    design = DESIGNS[name](machine.process)
    mapper = threads.spawn(lambda: answer(design.map, machine.client, machine.arguments()), name="mapper")

    def pester() -> None:
        for _ in range(ROUNDS):
            machine.client.signal()
            mapper.join(0.0005)

    threads.spawn(pester, name="pester")
    assert mapper.join()
    assert (mapper.result, machine.usable, machine.violations) == (0, (0, 1), [])


@pytest.mark.parametrize("name", DESIGNS)
def test_mapped_unmapped_reset_and_freed_at_once(threads: sync.World, name: str) -> None:
    machine = Machine(2, dispatch_us=0, update_us=50)
    design = DESIGNS[name](machine.process)
    answers: list[int] = []

    def map_again_and_again(client: Client) -> None:
        answers.extend(answer(design.map, client, machine.arguments()) for _ in range(ROUNDS))

    def unmap_again_and_again(client: Client) -> None:
        answers.extend(answer(unmap, machine.process, client, machine.arguments(1)) for _ in range(ROUNDS))

    def reset() -> None:
        for sdma in machine.gpus:
            sdma.reset()

    clients = [Client(f"client{number}") for number in range(3)]
    tasks = [
        threads.spawn(lambda: map_again_and_again(clients[0]), name="mapper0"),
        threads.spawn(lambda: map_again_and_again(clients[1]), name="mapper1"),
        threads.spawn(lambda: unmap_again_and_again(clients[2]), name="unmapper"),
        threads.spawn(reset, name="reset"),
    ]
    for client in clients:
        client.signal()
    for task in tasks:
        assert task.join()
        assert task.error is None
    # What was lost in a reset, or unmapped between two calls of one design.
    assert set(answers) <= {0, errno.EIO, errno.ECANCELED, errno.EINVAL}
    assert answer(free, machine.process, machine.client, machine.handle) == 0
    assert machine.memory.regions[Placement.VRAM].used_bytes == 0
    assert machine.violations == []
