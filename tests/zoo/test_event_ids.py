from __future__ import annotations

from functools import partial

from fencepost.actors import Runtime
from fencepost.checks import explore
from fencepost.sync import current
from fencepost.zoo.event_ids import EventIds


def test_all_or_none_are_taken() -> None:
    ids = EventIds(3)
    assert ids.try_take(2)
    assert not ids.try_take(2)
    assert ids.try_take(1)


def test_who_came_first_is_first() -> None:
    with Runtime(world="virtual") as runtime:
        ids = EventIds(2)
        order: list[int] = []
        ids.take(2)

        def take(needed: int) -> None:
            ids.take(needed)
            order.append(needed)
            ids.give_back(needed)

        for needed in 2, 1:
            runtime.spawn(partial(take, needed))
            current().sleep(1)
        ids.give_back(1)
        current().sleep(1)
        assert order == []
        ids.give_back(1)
    assert order == [2, 1]


def test_there_are_never_more_out_than_there_are() -> None:
    def model(runtime: Runtime) -> None:
        ids = EventIds(3)
        out = 0

        def run(needed: int) -> None:
            nonlocal out
            ids.take(needed)
            out += needed
            assert out <= 3
            out -= needed
            ids.give_back(needed)

        for needed in 1, 2, 3:
            runtime.spawn(partial(run, needed))

    assert not explore(model, schedules=200).found
