"""Points of a timeline: spec/dma_fence.md 3.1, beyond the kernel's self-tests."""

from __future__ import annotations

import errno
import random

import pytest

from fencepost import sync
from fencepost.fences import Fence, FenceArray, FenceChain, get_stub, unwrap
from fencepost.fences.several import signal_all
from tests.fences.chains import chain_of, new_chain
from tests.fences.kit import Work

LONG_S = 60.0
LONG = 20_000
"""Far beyond what Python would recurse."""

pytestmark = pytest.mark.usefixtures("any_world")


# Contexts and numbers.


def test_points_in_order_are_of_one_context() -> None:
    two, five = chain_of([Fence(), Fence()], first=2, step=3)
    assert five.context == two.context
    assert (two.seqno, two.prev_seqno) == (2, 0)
    assert (five.seqno, five.prev_seqno) == (5, 2)


@pytest.mark.parametrize("seqno", [1, 4, 5])
def test_a_point_out_of_order_begins_a_context_and_its_number_does_not_go_back(seqno: int) -> None:
    five = FenceChain(Fence(), 5)
    late = FenceChain(Fence(), seqno, five)
    assert late.context != five.context
    assert (late.seqno, late.prev_seqno) == (5, 0)
    assert late.prev is five


def test_what_is_no_chain_has_no_say_in_numbers() -> None:
    bottom = Fence(7, 100)
    node = FenceChain(Fence(), 1, bottom)
    assert node.context != 7
    assert (node.seqno, node.prev_seqno) == (1, 0)
    assert node.prev is bottom


def test_numbers_are_of_64_bits() -> None:
    top = (1 << 64) - 1
    low = FenceChain(Fence(), 1 << 31)
    assert FenceChain(Fence(), top, low).context == low.context


@pytest.mark.parametrize("seqno", [-1, 1 << 64])
def test_a_number_that_is_none_is_refused(seqno: int) -> None:
    with pytest.raises(ValueError, match=f"point {seqno} of a chain, expected 0 to {(1 << 64) - 1}"):
        FenceChain(Fence(), seqno)


def test_a_chain_as_the_fence_of_a_point_is_refused() -> None:
    with pytest.raises(ValueError, match="as the fence of a point, expected no chain: see merge"):
        FenceChain(FenceChain(Fence(), 1), 2)


# What is before.


def test_nodes_whose_own_fence_has_signalled_are_collected() -> None:
    fences, nodes = new_chain(4)
    assert nodes[3].prev is nodes[2]
    fences[2].signal()
    fences[1].signal()
    assert nodes[3].prev is nodes[0]
    assert nodes[2].prev is nodes[0]
    fences[0].signal()
    assert nodes[3].prev is None
    signal_all(fences)


def test_what_the_chain_stands_on_is_before_the_last_and_must_signal_too() -> None:
    bottom, fence = Fence(), Fence()
    node = FenceChain(fence, 1, bottom)
    fence.signal()
    assert node.prev is bottom
    assert not node.signaled
    bottom.signal()
    assert node.prev is None
    assert node.signaled


def test_someone_who_waits_hears_of_the_bottom_too() -> None:
    bottom, fence, heard = Fence(), Fence(), list[Fence]()
    head = chain_of([fence, Fence()], prev=bottom)[-1]
    assert head.add_callback(heard.append)
    signal_all([head.fence, fence])
    assert not heard
    bottom.signal()
    assert heard == [head]


def test_a_chain_may_go_on_over_several_contexts() -> None:
    below, *fences = [Fence() for _ in range(4)]
    first = chain_of([below, fences[0]], first=8)[-1]
    second = FenceChain(fences[1], 3, first)
    third = FenceChain(fences[2], 10, second)
    assert list(unwrap(third)) == [*reversed(fences), below]
    assert third.find_seqno(9) is second
    assert third.find_seqno(3) is second
    fences[1].signal()
    assert third.find_seqno(8) is first
    assert third.last_complete_seqno() == 0
    signal_all([below, fences[0]])
    assert third.find_seqno(9) is None
    assert third.last_complete_seqno() == 9
    fences[2].signal()
    assert third.last_complete_seqno() == 10


# Finding points.


def test_point_0_is_the_chain_as_a_whole() -> None:
    fences, nodes = new_chain(3)
    signal_all(fences)
    assert nodes[2].find_seqno(0) is nodes[2]


@pytest.mark.parametrize("seqno", [-1, 2, 1 << 70])
def test_a_point_that_was_not_reached_is_refused_by_name(seqno: int) -> None:
    node = FenceChain(Fence(), 1)
    with pytest.raises(OSError, match=f"<FenceChain {node.context}:1 pending> has no point {seqno}") as caught:
        node.find_seqno(seqno)
    assert caught.value.errno == errno.EINVAL


def test_the_head_is_found_although_its_own_fence_has_signalled() -> None:
    """What is before it may be pending: only the head says so."""
    fences, nodes = new_chain(2)
    fences[1].signal()
    assert nodes[1].find_seqno(2) is nodes[1]
    assert not nodes[1].signaled
    fences[0].signal()
    assert nodes[1].find_seqno(2) is nodes[1]


def test_below_its_first_point_a_chain_answers_with_that() -> None:
    node = chain_of([Fence(), Fence()], first=5, prev=Fence())[-1]
    found = node.find_seqno(2)
    assert found is not None
    assert found.seqno == 5


def test_a_collected_point_over_a_pending_bottom_is_answered_with_the_bottom() -> None:
    bottom, fences = Fence(), [Fence(), Fence()]
    head = chain_of(fences, prev=bottom)[-1]
    fences[0].signal()
    assert head.find_seqno(1) is bottom
    bottom.signal()
    assert head.find_seqno(1) is None


def test_two_chains_may_grow_from_one_point() -> None:
    fences = [Fence() for _ in range(4)]
    stem = chain_of(fences[:2])
    left, right = (FenceChain(fence, 3, stem[-1]) for fence in fences[2:])
    assert left.context == right.context == stem[0].context
    for branch in left, right:
        assert branch.find_seqno(1) is stem[0]
        assert branch.find_seqno(2) is stem[1]
        assert branch.find_seqno(3) is branch
    fences[2].signal()
    assert (left.last_complete_seqno(), right.last_complete_seqno()) == (0, 0)
    fences[0].signal()
    assert (left.last_complete_seqno(), right.last_complete_seqno()) == (1, 1)
    fences[1].signal()
    assert (left.last_complete_seqno(), right.last_complete_seqno()) == (3, 2)
    assert left.signaled
    assert not right.signaled


def test_a_branch_says_nothing_of_what_it_branched_from() -> None:
    fences = [Fence() for _ in range(3)]
    nodes = chain_of(fences[:2])
    signal_all(fences[:2])
    assert nodes[1].signaled
    branch = FenceChain(fences[2], 2, nodes[0])
    assert nodes[1].last_complete_seqno() == 2
    assert branch.last_complete_seqno() == 1


# How far it is.


def test_the_highest_point_below_which_all_are_complete() -> None:
    fences, nodes = new_chain(4, first=10, step=10)
    said: list[int] = []
    for place in (1, 0, 3, 2):
        fences[place].signal()
        said.append(nodes[-1].last_complete_seqno())
    assert said == [0, 20, 20, 40]
    assert [node.last_complete_seqno() for node in nodes] == [10, 20, 30, 40]


def test_it_says_how_far_it_is_up_to_its_own_number() -> None:
    fences, nodes = new_chain(3)
    signal_all(fences[:2])
    assert [node.last_complete_seqno() for node in nodes] == [1, 2, 2]
    fences[2].signal()


def test_no_point_over_a_pending_bottom_is_complete() -> None:
    done, bottom, fences = Fence(), Fence(), [Fence(), Fence()]
    below = chain_of([done, bottom], first=7)[-1]
    signal_all([done, fences[0]])
    for prev in bottom, below:
        head = chain_of(fences, prev=prev)[-1]
        assert head.last_complete_seqno() == 0
    bottom.signal()
    assert head.last_complete_seqno() == head.prev_seqno


def test_asking_enables_nothing_and_finds_work_that_is_complete() -> None:
    work = [Work(), Work()]
    head = chain_of(work)[-1]
    assert not head.signaled
    assert head.last_complete_seqno() == 0
    for fence in work:
        fence.complete = True
    assert head.last_complete_seqno() == 2
    assert head.signaled
    assert [fence.enabled for fence in work] == [0, 0]


# Signalling.


def test_an_error_inside_is_not_the_nodes() -> None:
    fences, nodes = new_chain(2)
    signal_all(fences, -errno.EIO)
    assert [node.status for node in nodes] == [1, 1]
    polled = chain_of([Fence()])[0]
    polled.fence.signal(-errno.EIO)
    assert polled.status == 1


def test_an_array_is_a_fence_like_any_other() -> None:
    fences = [Fence(), Fence(), Fence()]
    node = FenceChain(FenceArray(fences[1:]), 2, FenceChain(fences[0], 1))
    assert node.enable_signaling()
    signal_all(fences[:2])
    assert not node.signaled
    fences[2].signal()
    assert node.signaled


def test_one_that_is_complete_refuses_the_callback_and_has_signalled() -> None:
    fences = [Fence(), Fence()]
    signal_all(fences)
    head = chain_of(fences)[-1]
    assert not head.add_callback(print)
    assert head.signaled


def test_waiting_enables_each_pending_fence_once() -> None:
    work = [Work(), Work(), Work(complete=True)]
    bottom = Work()
    head = chain_of(work, prev=bottom)[-1]
    assert not head.wait(0)
    assert head.enable_signaling()
    assert [fence.enabled for fence in (bottom, *work)] == [1, 1, 1, 1]
    signal_all([bottom, *work])


def test_enabling_goes_no_further_than_what_is_enabled() -> None:
    work = [Work() for _ in range(3)]
    nodes = chain_of(work)
    assert nodes[1].enable_signaling()
    assert [fence.enabled for fence in work] == [1, 1, 0]
    assert nodes[2].enable_signaling()
    assert [fence.enabled for fence in work] == [1, 1, 1]
    signal_all(work)


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_fence_that_cannot_be_enabled_is_tried_again(place: int) -> None:
    work, heard = [Work() for _ in range(4)], list[Fence]()
    work[place].failure = LookupError("no interrupt")
    head = chain_of(work[1:], prev=work[0])[-1]
    with pytest.raises(LookupError):
        head.add_callback(heard.append)
    work[place].failure = None
    assert head.add_callback(heard.append)
    assert [fence.enabled for fence in work] == [1, 1, 1, 1]
    for fence in work:
        assert heard == []
        fence.signal()
    assert heard == [head]


def test_all_that_waited_for_one_fence_are_called_in_the_order_of_the_chain() -> None:
    fences, nodes = new_chain(5)
    heard: list[Fence] = []
    for node in reversed(nodes):
        node.add_callback(heard.append)
    signal_all(reversed(fences))
    assert heard == nodes


def test_an_exception_of_a_callback_reaches_the_signaller_after_all_nodes_have_signalled() -> None:
    fences, nodes = new_chain(3)

    def fail(_: Fence) -> None:
        raise LookupError

    for node in nodes:
        node.add_callback(fail)
    signal_all(fences[1:])
    with pytest.raises(LookupError):
        fences[0].signal()
    assert all(node.is_over for node in nodes)


def test_a_deadline_is_for_every_fence_that_is_not_collected() -> None:
    bottom, work = Work(), [Work() for _ in range(4)]
    head = chain_of(work, prev=bottom)[-1]
    work[1].complete = True
    head.set_deadline(9)
    head.set_deadline(9)
    head.set_deadline(12)
    head.set_deadline(5)
    assert [fence.deadlines_ns for fence in (bottom, *work)] == [[9, 5], [9, 5], [], [9, 5], [9, 5]]


def test_a_later_deadline_goes_to_what_was_told_of_none() -> None:
    work = [Work() for _ in range(3)]
    nodes = chain_of(work)
    nodes[0].set_deadline(5)
    nodes[2].set_deadline(9)
    assert [fence.deadlines_ns for fence in work] == [[5], [9], [9]]


# Length.


@pytest.mark.parametrize("order", ["forward", "backward", "random"])
def test_a_long_chain_does_not_recurse(any_world: sync.World, order: str) -> None:
    fences = [Fence() for _ in range(LONG)]
    nodes, heard = chain_of(fences), list[Fence]()
    nodes[-1].add_callback(heard.append)
    nodes[-1].set_deadline(any_world.now_ns())
    middle = nodes[LONG // 2 - 1]
    assert nodes[-1].find_seqno(LONG // 2) is middle
    del nodes[:-1]
    if order == "backward":
        fences.reverse()
    elif order == "random":
        random.Random(1).shuffle(fences)
    signal_all(fences)
    assert heard == nodes
    assert middle.signaled


def test_a_long_chain_is_asked_and_dropped_without_recursion() -> None:
    fences = [Fence() for _ in range(LONG)]
    head: FenceChain | None = chain_of(fences)[-1]
    assert head is not None
    assert not head.signaled
    assert sum(1 for _ in unwrap(head)) == LONG
    del head
    nodes = chain_of(fences, prev=get_stub())
    signal_all(reversed(fences))
    assert nodes[-1].signaled
    assert nodes[-1].last_complete_seqno() == LONG
