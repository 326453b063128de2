"""One syncobj: what is put in, what is found."""

from __future__ import annotations

import errno

import pytest

from fencepost import sync
from fencepost.fences import (
    Fence,
    FenceChain,
    Syncobj,
    Timeline,
    WaitFlags,
    get_stub,
    merge,
    wait_points,
)
from fencepost.fences.syncobj_arguments import MAX_POINT
from tests.fences.refusal import refused


@pytest.fixture(autouse=True)
def in_every_world(any_world: sync.World) -> None:
    """All of this is the same everywhere."""


def timeline(*points: int) -> tuple[Syncobj, list[Fence]]:
    """Make a syncobj with a pending fence at each of these points."""
    syncobj, fences = Syncobj("line"), [Fence() for _ in points]
    for point, fence in zip(points, fences, strict=True):
        syncobj.add_point(fence, point)
    return syncobj, fences


def test_it_begins_empty() -> None:
    syncobj = Syncobj("mine")
    assert syncobj.fence is None
    assert syncobj.find() is None
    assert repr(syncobj) == "<mine, empty>"
    with refused(errno.EINVAL, "mine", "point 0"):
        syncobj.find_fence()


def test_it_holds_what_was_put_in_last() -> None:
    syncobj, one, other = Syncobj(), Fence(), Fence()
    syncobj.replace(one)
    assert syncobj.find_fence() is one
    syncobj.replace(other)
    assert syncobj.fence is other
    assert repr(other) in repr(syncobj)
    syncobj.reset()
    assert syncobj.fence is None


def test_signalling_it_puts_a_fence_of_its_own_in() -> None:
    syncobj, other, pending = Syncobj(), Syncobj(), Fence()
    syncobj.replace(pending)
    syncobj.signal()
    other.signal()
    assert syncobj.find_fence().signaled
    assert syncobj.find_fence() not in (pending, get_stub(), other.fence)
    assert syncobj.find_fence().timestamp_ns > 0 or sync.now_ns() == 0
    assert not pending.signaled


def test_a_binary_one_has_no_points() -> None:
    syncobj = Syncobj()
    syncobj.replace(Fence())
    assert syncobj.find(1) is None
    assert syncobj.query() == syncobj.query(last_submitted=True) == 0
    with refused(errno.EINVAL, "point 1"):
        syncobj.find_fence(1)


def test_a_point_is_found_by_its_number_or_one_before() -> None:
    syncobj, fences = timeline(5, 10)
    head = syncobj.fence
    assert isinstance(head, FenceChain)
    assert syncobj.find(0) is head
    assert syncobj.find(10) is syncobj.find(6) is head
    five = syncobj.find_fence(5)
    assert isinstance(five, FenceChain)
    assert five.fence is fences[0]
    assert syncobj.find_fence(1) is five
    with refused(errno.EINVAL, "point 11"):
        syncobj.find_fence(11)


def test_a_point_that_is_complete_and_collected_is_found_as_a_fence_that_has_signalled() -> None:
    syncobj, fences = timeline(1, 2, 3)
    fences[0].signal()
    assert syncobj.query() == 1
    assert syncobj.find_fence(1).signaled
    assert not syncobj.find_fence(2).signaled


@pytest.mark.parametrize("point", [-1, MAX_POINT + 1])
def test_a_point_has_64_bits(point: int) -> None:
    syncobj, source = timeline(1)[0], timeline(1)[0]
    head = syncobj.fence
    for call in (
        lambda: syncobj.add_point(Fence(), point),
        lambda: syncobj.signal_point(point),
        lambda: syncobj.find(point),
        lambda: syncobj.find_fence(point),
        lambda: wait_points([(syncobj, point)], WaitFlags.FOR_SUBMIT, 0),
        lambda: syncobj.transfer(source, 1, point),
        lambda: syncobj.transfer(source, point, 2),
    ):
        with refused(errno.EINVAL, f"point {point}"):
            call()
    assert syncobj.fence is head
    syncobj.add_point(Fence(), MAX_POINT)
    assert syncobj.query(last_submitted=True) == MAX_POINT


def test_a_timeline_is_as_far_as_all_before_are_complete() -> None:
    """A signal from the host on top of pending points counts when these are done."""
    syncobj, fences = timeline(3, 4, 5)
    fences[0].signal()
    syncobj.signal_point(8)
    assert syncobj.query() == 3
    fences[2].signal()
    assert syncobj.query() == 3
    fences[1].signal()
    assert syncobj.query() == syncobj.query(last_submitted=True) == 8


def test_what_was_submitted_last_is_told_before_it_is_complete() -> None:
    syncobj, _ = timeline(3, 7)
    assert syncobj.query() == 0
    assert syncobj.query(last_submitted=True) == 7


def test_a_point_that_is_not_after_the_last_counts_as_that() -> None:
    syncobj, fences = timeline(7)
    late = Fence()
    syncobj.add_point(late, 3)
    assert syncobj.query(last_submitted=True) == 7
    late.signal()
    assert not syncobj.find_fence(7).signaled
    fences[0].signal()
    assert syncobj.find_fence(7).signaled
    assert syncobj.query() == 7


def test_a_query_asks_for_no_signal() -> None:
    class Asked(Fence):
        def _enable_locked(self) -> bool:
            raise AssertionError

    syncobj = Syncobj()
    syncobj.add_point(Asked(), 1)
    assert syncobj.query() == 0


def test_a_transfer_into_the_slot_shares_the_fence() -> None:
    source, target, fence = Syncobj(), Syncobj(), Fence()
    source.replace(fence)
    target.transfer(source)
    assert target.fence is fence
    source.reset()
    assert target.fence is fence


def test_a_transfer_to_a_point_flattens() -> None:
    """However often it goes to and fro, nothing is nested."""
    source, fences = timeline(1, 2)
    target = Syncobj()
    for turn in range(1, 100):
        target.transfer(source, 2, turn)
        source.transfer(target, turn, 2 + turn)
    head = source.find_fence()
    assert isinstance(head, FenceChain)
    assert not isinstance(head.fence, FenceChain)
    assert not head.signaled
    for fence in fences:
        fence.signal()
    assert head.wait(0)
    assert target.query() == 99


def test_a_chain_at_a_point_is_flattened() -> None:
    source, fences = timeline(1, 2)
    target = Syncobj()
    target.add_point(source.find_fence(), 1)
    fences[0].signal()
    assert not target.find_fence(1).wait(0)
    fences[1].signal()
    assert target.find_fence(1).wait(0)


def test_a_transfer_of_what_is_not_there_changes_nothing() -> None:
    source, target = Syncobj("source"), timeline(1)[0]
    head = target.fence
    for point in (0, 2):
        with refused(errno.EINVAL, "source"):
            target.transfer(source, 1, point)
    assert target.fence is head


def test_an_array_may_be_at_a_point() -> None:
    syncobj, fences = Syncobj(), [Fence(), Fence()]
    syncobj.add_point(merge(*fences), 1)
    fences[0].signal()
    assert syncobj.query() == 0
    fences[1].signal()
    assert syncobj.query() == 1


def test_points_of_a_timeline_that_is_closed_are_complete_with_an_error() -> None:
    software, syncobj = Timeline(), Syncobj()
    syncobj.add_point(software.fence(1), 1)
    software.close()
    assert syncobj.find_fence(1).wait(0)
    assert syncobj.query() == 1


def test_what_can_no_longer_be_reached_is_not_kept() -> None:
    """A timeline that goes on for ever keeps what is pending."""
    syncobj = Syncobj()
    for point in range(1, 1000):
        fence = Fence()
        syncobj.add_point(fence, point)
        fence.signal()
    length, node = 0, syncobj.fence
    while isinstance(node, FenceChain):
        length, node = length + 1, node.prev
    assert length <= 2
