from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fencepost.fences import Fence
from fencepost.fences.awaited_points import SWEEP_FLOOR, AwaitedPoints, Found


def seeker() -> Found:
    return [Fence()].append


def test_those_at_or_before_the_point_are_taken_once_in_order() -> None:
    awaited, (early, late, other) = AwaitedPoints(), (seeker(), seeker(), seeker())
    awaited.add(7, late)
    awaited.add(3, early)
    awaited.add(7, other)
    assert awaited.take(2) == []
    assert awaited.take(7) == [(3, early), (7, late), (7, other)]
    assert awaited.take(100) == []


def test_who_was_discarded_is_not_taken_and_may_be_added_again() -> None:
    awaited, (one, other) = AwaitedPoints(), (seeker(), seeker())
    awaited.add(3, one)
    awaited.add(3, other)
    awaited.discard(3, one)
    awaited.discard(3, one)
    awaited.discard(4, one)
    assert awaited.take(3) == [(3, other)]
    awaited.add(3, one)
    awaited.discard(3, one)
    awaited.add(3, one)
    assert awaited.take(3) == [(3, one)]


def test_giving_up_again_and_again_does_not_grow_it() -> None:
    awaited, one = AwaitedPoints(), seeker()
    awaited.add(0, one)
    for point in range(1, 10 * SWEEP_FLOOR):
        awaited.add(point, one)
        awaited.discard(point, one)
    assert len(awaited._heap) <= SWEEP_FLOOR + 4  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
    assert awaited.take(10 * SWEEP_FLOOR) == [(0, one)]


@given(st.lists(st.tuples(st.sampled_from(["add", "discard", "take"]), st.integers(0, 9), st.integers(0, 3))))
def test_it_does_what_a_plain_set_of_pairs_would(steps: list[tuple[str, int, int]]) -> None:
    awaited, model = AwaitedPoints(), set[tuple[int, Found]]()
    seekers = [seeker() for _ in range(4)]
    for action, point, number in steps:
        pair = point, seekers[number]
        if action == "add":
            awaited.add(*pair)
            model.add(pair)
        elif action == "discard":
            awaited.discard(*pair)
            model.discard(pair)
        else:
            taken = awaited.take(point)
            assert [at for at, _ in taken] == sorted(at for at, _ in taken)
            assert set(taken) == {pair for pair in model if pair[0] <= point}
            assert len(taken) == len(set(taken))
            model -= set(taken)
