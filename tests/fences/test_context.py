from __future__ import annotations

from collections.abc import Iterator

import pytest

from fencepost import sync
from fencepost.fences import Fence, context, context_alloc, is_later, is_later_or_same, later


def test_contexts_are_handed_out_once_and_in_a_row() -> None:
    first = context_alloc(3)
    assert first >= 1
    assert context_alloc() == first + 3
    assert context_alloc() == first + 4


@pytest.mark.parametrize("count", [0, -1])
def test_no_contexts_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} fence contexts asked for, expected at least 1"):
        context_alloc(count)


def test_contexts_handed_out_at_once_do_not_meet(native: sync.World) -> None:
    start = sync.Gate()

    def take() -> list[int]:
        start.wait()
        return [first + offset for _ in range(200) for first in [context_alloc(3)] for offset in range(3)]

    tasks = [native.spawn(take, name=f"taker{index}") for index in range(4)]
    start.open()
    assert all(task.join() for task in tasks)
    numbers = [number for task in tasks for number in task.result]
    assert len(set(numbers)) == 4 * 200 * 3


def test_a_fence_without_a_context_gets_one_of_its_own_when_it_is_asked_for() -> None:
    one, other = Fence(), Fence()
    assert one.context == one.context
    assert one.context != other.context


def test_all_who_ask_at_once_are_told_the_same_context(native: sync.World) -> None:
    for _ in range(20):
        fence, start = Fence(), sync.Gate()
        tasks = [
            native.spawn(lambda s=start, f=fence: s.wait() and f.context, name=f"asker{index}")  # type: ignore[misc]
            for index in range(3)
        ]
        start.open()
        assert all(task.join() for task in tasks)
        assert {task.result for task in tasks} == {fence.context}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(2, 1, True, id="next"),
        pytest.param(1, 2, False, id="previous"),
        pytest.param(1, 1, False, id="equal"),
        pytest.param(0, 0xFFFFFFFF, True, id="across the wrap"),
        pytest.param(0xFFFFFFFF, 0, False, id="back across the wrap"),
        pytest.param(0x7FFFFFFF, 0, True, id="just under half the range"),
        pytest.param(0x80000000, 0, False, id="half the range"),
        pytest.param(0, 0x80000000, False, id="half the range, the other way"),
        pytest.param(0x80000001, 0, False, id="just over half the range"),
    ],
)
def test_which_of_two_is_later(one: int, other: int, expected: bool) -> None:  # noqa: FBT001 - a table
    assert is_later(Fence(1, one), Fence(1, other)) is expected


def test_the_same_fence_is_later_or_same_and_another_of_the_same_number_is_not() -> None:
    fence = Fence(1, 5)
    assert is_later_or_same(fence, fence)
    assert not is_later_or_same(fence, Fence(1, 5))
    assert is_later_or_same(Fence(1, 6), fence)


@pytest.mark.parametrize("compare", [is_later, is_later_or_same, later])
def test_numbers_of_two_contexts_are_not_compared(compare: object) -> None:
    assert callable(compare)
    with pytest.raises(ValueError, match="are of different contexts: their numbers cannot be compared"):
        compare(Fence(1, 1), Fence(2, 1))


def test_the_later_of_two_is_nothing_when_it_has_signalled() -> None:
    one, other = Fence(1, 1), Fence(1, 2)
    assert later(one, other) is other
    assert later(other, one) is other
    one.signal()
    assert later(one, other) is other
    other.signal()
    assert later(one, other) is None


def test_numbers_are_given_out_under_the_lock_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """By stress this shows only where threads run at the same time."""
    held: list[bool] = []

    def numbers() -> Iterator[int]:
        for number in range(1, 10):
            held.append(context._allocation.locked())  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
            yield number

    monkeypatch.setattr(context, "_next_context", numbers())
    assert context_alloc(3) == 1
    assert context_alloc() == 4
    assert held == [True] * 4
