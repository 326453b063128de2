from __future__ import annotations

import errno

import pytest

from fencepost import sync
from fencepost.fences import Fence
from fencepost.hw.user_queue.protected_fences import ProtectedFences


@pytest.fixture
def watched() -> list[Fence]:
    return []


@pytest.fixture
def fences(native: sync.World, watched: list[Fence]) -> ProtectedFences:
    return ProtectedFences(native, "queue", watched.append)


def test_a_fence_signals_when_its_number_is_written_with_the_engines_time(fences: ProtectedFences) -> None:
    fence = fences.at(3)
    fences.write(2, 100)
    assert not fence.signaled
    fences.write(4, 123)
    assert (fence.signaled, fence.error, fence.timestamp_ns) == (True, 0, 123)


def test_they_signal_in_the_order_of_their_numbers_whatever_the_order_they_were_asked_for(
    fences: ProtectedFences,
) -> None:
    signaled: list[int] = []
    for number in (5, 2, 4, 9, 3):
        fences.at(number).add_callback(lambda fence: signaled.append(fence.seqno))
    fences.write(5, 1)
    assert signaled == [2, 3, 4, 5]
    fences.write(9, 2)
    assert signaled == [2, 3, 4, 5, 9]


def test_all_who_ask_for_a_number_get_the_same_fence_which_is_watched_once(
    fences: ProtectedFences, watched: list[Fence]
) -> None:
    assert fences.at(3) is fences.at(3)
    assert watched == [fences.at(3)]


def test_a_number_that_was_written_gives_a_signalled_fence_that_nobody_watches(
    fences: ProtectedFences, watched: list[Fence]
) -> None:
    fences.write(3, 7)
    fence = fences.at(2)
    assert (fence.signaled, fence.error) == (True, 0)
    assert watched == []


def test_a_fence_does_not_overtake_one_whose_number_is_noted(fences: ProtectedFences) -> None:
    first, order = fences.at(1), list[int]()
    first.add_callback(lambda fence: order.append(fence.seqno))
    fences.note(2, 9)
    fences.at(2).add_callback(lambda fence: order.append(fence.seqno))
    assert first.signaled
    assert order == [1]


def test_completion_is_forced_with_the_error_for_the_oldest(fences: ProtectedFences) -> None:
    done, first, second = fences.at(1), fences.at(2), fences.at(3)
    fences.note(1, 5)
    fences.fail_all(-errno.ETIME)
    fences.fail_all(-errno.EIO)
    assert [fence.error for fence in (done, first, second)] == [0, -errno.ETIME, -errno.ECANCELED]


def test_after_the_end_a_fence_has_its_error_at_once_unless_its_number_was_written(
    fences: ProtectedFences, watched: list[Fence]
) -> None:
    fences.write(1, 5)
    fences.fail_all(-errno.ETIME)
    assert (fences.at(1).error, fences.at(2).error) == (0, -errno.ECANCELED)
    assert watched == []
