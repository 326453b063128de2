"""What is inside of containers, and merging.

First the kernel's self-tests of dma_fence_unwrap: rows 24 to 33 of spec/dma_fence.md 4.3.
"""

from __future__ import annotations

import errno

import pytest

from fencepost.fences import Fence, FenceArray, FenceChain, get_stub, merge, private_stub, unwrap
from fencepost.sync import World
from tests.fences.chains import chain_of
from tests.fences.kit import Work

pytestmark = pytest.mark.usefixtures("any_world")


@pytest.fixture
def pair(any_world: World) -> tuple[Fence, Fence]:  # noqa: ARG001 - they are of that world
    """Two fences of contexts of their own, in that order."""
    pair = Fence(name="one"), Fence(name="two")
    assert pair[0].context < pair[1].context
    return pair


def leaves(fence: Fence) -> list[Fence]:
    return list(unwrap(fence))


def test_sanitycheck() -> None:
    fence = Fence()
    assert leaves(FenceChain(FenceArray([fence]), 1)) == [fence]


def test_unwrap_array(pair: tuple[Fence, Fence]) -> None:
    assert leaves(FenceArray(pair)) == [*pair]


def test_unwrap_chain(pair: tuple[Fence, Fence]) -> None:
    assert leaves(FenceChain(pair[1], 1, pair[0])) == [pair[1], pair[0]]


def test_unwrap_chain_array(pair: tuple[Fence, Fence]) -> None:
    assert leaves(FenceChain(FenceArray(pair), 1)) == [*pair]


def test_unwrap_merge(pair: tuple[Fence, Fence]) -> None:
    assert leaves(merge(*pair)) == [*pair]


def test_unwrap_merge_duplicate(pair: tuple[Fence, Fence]) -> None:
    assert merge(pair[0], pair[0]) is pair[0]


def test_unwrap_merge_seqno() -> None:
    first, last, other = Fence(1001, 1), Fence(1001, 2), Fence(1000, 1)
    assert leaves(merge(first, last, other)) == [other, last]


def test_unwrap_merge_order(pair: tuple[Fence, Fence]) -> None:
    newest = chain_of(pair)[-1]
    assert leaves(merge(FenceArray(pair), newest)) == [*pair]


def test_unwrap_merge_complex(pair: tuple[Fence, Fence]) -> None:
    assert leaves(merge(merge(*pair), FenceArray(reversed(pair)), get_stub())) == [*pair]


def test_unwrap_merge_complex_seqno() -> None:
    one, two, three, four = Fence(1000, 2), Fence(1001, 1), Fence(1000, 1), Fence(1001, 2)
    assert leaves(merge(FenceArray([one, two]), FenceArray([three, four]))) == [one, four]


# Beyond the self-tests.


def test_a_fence_that_is_no_container_stands_for_itself() -> None:
    fence = Fence()
    assert leaves(fence) == [fence]


def test_a_chain_is_unwrapped_from_its_head_back_and_arrays_in_their_order(pair: tuple[Fence, Fence]) -> None:
    bottom, top = Fence(name="bottom"), Fence(name="top")
    assert leaves(chain_of([FenceArray(pair), top], prev=bottom)[-1]) == [top, *pair, bottom]


def test_points_that_have_signalled_are_left_out_but_for_the_head() -> None:
    fences = [Fence() for _ in range(4)]
    head = chain_of(fences)[-1]
    fences[1].signal()
    fences[3].signal()
    assert leaves(head) == [fences[3], fences[2], fences[0]]


def test_members_of_an_array_that_have_signalled_are_inside_all_the_same(pair: tuple[Fence, Fence]) -> None:
    pair[0].signal()
    assert leaves(FenceArray(pair)) == [*pair]


def test_many_are_an_array_that_signals_with_all_of_them(pair: tuple[Fence, Fence]) -> None:
    merged = merge(*pair)
    assert isinstance(merged, FenceArray)
    assert (merged.seqno, merged.signal_on_any) == (1, False)
    assert merged.context > pair[1].context
    pair[1].signal()
    assert not merged.signaled
    pair[0].signal()
    assert merged.signaled


def test_one_that_is_left_is_no_container(pair: tuple[Fence, Fence]) -> None:
    pair[0].signal()
    assert merge(FenceArray(pair), pair[0], get_stub()) is pair[1]


def test_what_has_signalled_is_merged_into_a_stub_of_its_own_with_the_latest_timestamp() -> None:
    fences = [Fence(), Fence(), Fence()]
    for fence, timestamp_ns in zip(fences, (5, 9, 7), strict=True):
        fence.signal(timestamp_ns=timestamp_ns)
    merged = merge(*fences)
    assert merged.signaled
    assert merged.timestamp_ns == 9
    assert merged not in (*fences, get_stub())


def test_nothing_is_merged_into_a_stub() -> None:
    merged = merge()
    assert (merged.status, merged.timestamp_ns) == (1, 0)


def test_the_error_of_one_that_has_signalled_is_lost(pair: tuple[Fence, Fence]) -> None:
    pair[0].signal(-errno.EIO)
    merged = merge(*pair)
    pair[1].signal()
    assert merged.status == 1


def test_numbers_that_wrap_round_are_later() -> None:
    before, after = Fence(1000, (1 << 32) - 1), Fence(1000, 1)
    assert merge(after, before) is after
    assert merge(before, after) is after


def test_merging_asks_the_fences_and_enables_none() -> None:
    done, pending, other = Work(complete=True), Work(), Fence()
    assert leaves(merge(done, pending, other)) == [pending, other]
    assert (done.enabled, pending.enabled) == (0, 0)


def test_a_private_stub_has_signalled_now_or_when_it_is_told(any_world: World) -> None:
    before_ns = any_world.now_ns()
    stub, told = private_stub(), private_stub(3)
    assert before_ns <= stub.timestamp_ns <= any_world.now_ns()
    assert told.timestamp_ns == 3
    assert (stub.status, told.status) == (1, 1)
    assert stub is not told
    assert stub is not get_stub()
