"""Software timelines: spec/dma_fence.md 3.6."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial

import pytest

from fencepost import sync
from fencepost.fences import Fence, Timeline, wait_any
from tests.fences.kit import LONG_S

TOP = (1 << 32) - 1
HALF = 1 << 31

pytestmark = pytest.mark.usefixtures("any_world")


# The counter.


def test_a_new_timeline_stands_at_zero() -> None:
    timeline = Timeline("sw")
    assert timeline.value == 0
    assert not timeline.closed
    assert timeline.fence(0).signaled


def test_a_timeline_has_a_context_and_its_fences_are_on_it() -> None:
    one, other = Timeline(), Timeline()
    assert one.context != other.context
    fence = one.fence(5)
    assert (fence.context, fence.seqno) == (one.context, 5)


def test_a_fence_signals_when_its_point_is_reached() -> None:
    timeline = Timeline()
    fence = timeline.fence(2)
    assert timeline.advance() == 0
    assert not fence.signaled
    assert timeline.advance() == 1
    assert fence.status == 1


def test_all_points_that_are_passed_signal_in_order() -> None:
    timeline, order = Timeline(), list[int]()
    for point in (3, 1, 5, 2, 4):
        timeline.fence(point).add_callback(lambda fence: order.append(fence.seqno))
    assert timeline.advance(4) == 4
    assert order == [1, 2, 3, 4]
    assert timeline.advance(100) == 1
    assert order == [1, 2, 3, 4, 5]


def test_all_who_ask_for_a_pending_point_share_its_fence() -> None:
    timeline = Timeline()
    fence = timeline.fence(3)
    assert timeline.fence(3) is fence
    assert timeline.fence(4) is not fence
    assert timeline.advance(3) == 1


def test_a_point_that_was_passed_is_born_signalled_each_time() -> None:
    timeline = Timeline()
    timeline.advance(10)
    one, other = timeline.fence(10), timeline.fence(10)
    assert one.signaled
    assert one is not other
    assert timeline.fence(3).status == 1


def test_no_step_is_a_step() -> None:
    timeline = Timeline()
    timeline.fence(1)
    assert timeline.advance(0) == 0
    assert timeline.value == 0


@pytest.mark.parametrize("point", [-1, TOP + 1])
def test_a_point_that_is_no_32_bit_number_is_refused(point: int) -> None:
    with pytest.raises(ValueError, match=f"point {point} on sw, expected 0 to {TOP}"):
        Timeline("sw").fence(point)


@pytest.mark.parametrize("steps", [-1, TOP + 1])
def test_a_step_that_is_no_32_bit_number_is_refused(steps: int) -> None:
    with pytest.raises(ValueError, match=f"sw advanced by {steps}, expected 0 to {TOP}"):
        Timeline("sw").advance(steps)


# The wrap.


def test_the_value_wraps_round() -> None:
    timeline = Timeline()
    timeline.advance(TOP)
    assert timeline.value == TOP
    fence = timeline.fence(1)
    assert timeline.advance() == 0
    assert timeline.value == 0
    assert timeline.advance() == 1
    assert fence.signaled


@pytest.mark.parametrize("start", [0, 1, HALF - 1, HALF, TOP])
def test_half_the_range_is_ahead_and_the_rest_is_past(start: int) -> None:
    timeline = Timeline()
    timeline.advance(start)
    assert not timeline.fence((start + 1) & TOP).signaled
    assert not timeline.fence((start + HALF - 1) & TOP).signaled
    assert timeline.fence((start + HALF) & TOP).signaled
    assert timeline.fence((start + HALF + 1) & TOP).signaled
    assert timeline.fence(start).signaled


def test_the_largest_step_reaches_everything() -> None:
    timeline = Timeline()
    fences = [timeline.fence(point) for point in (1, 1000, HALF - 1)]
    assert timeline.advance(TOP) == 3
    assert all(fence.signaled for fence in fences)


def test_points_on_both_sides_of_the_wrap_signal_in_the_order_of_time() -> None:
    timeline, order = Timeline(), list[int]()
    timeline.advance(TOP - 1)
    for point in (1, TOP, 0):
        timeline.fence(point).add_callback(lambda fence: order.append(fence.seqno))
    timeline.advance(3)
    assert order == [TOP, 0, 1]


# The close.


def test_closing_signals_what_is_left_with_an_error() -> None:
    timeline, order = Timeline("sw"), list[tuple[int, int]]()
    for point in (2, 1, 3):
        timeline.fence(point).add_callback(lambda fence: order.append((fence.seqno, fence.status)))
    fence = timeline.fence(1)
    assert timeline.close() == 3
    assert fence.wait(0)
    assert order == [(point, -errno.ENOENT) for point in (1, 2, 3)]


def test_closing_does_not_touch_what_has_signalled() -> None:
    timeline = Timeline()
    fence = timeline.fence(1)
    timeline.advance()
    assert timeline.close() == 0
    assert fence.wait(0)
    assert fence.status == 1


def test_closing_twice_is_harmless_and_nothing_else_is_allowed_then() -> None:
    timeline = Timeline("sw")
    assert timeline.close() == 0
    assert timeline.close() == 0
    assert timeline.closed
    with pytest.raises(FileNotFoundError, match=rf"\[Errno {errno.ENOENT}\] sw is closed"):
        timeline.fence(1)
    with pytest.raises(FileNotFoundError, match=rf"\[Errno {errno.ENOENT}\] sw is closed"):
        timeline.advance()


@pytest.mark.parametrize("end", [partial(Timeline.advance, steps=3), Timeline.close])
def test_a_callback_that_raises_does_not_keep_the_other_points_pending(end: Callable[[Timeline], object]) -> None:
    timeline = Timeline()
    fences = [timeline.fence(point) for point in (1, 2, 3)]

    def fail(_: Fence) -> None:
        raise LookupError

    fences[0].add_callback(fail)
    fences[1].add_callback(fail)
    with pytest.raises(LookupError):
        end(timeline)
    assert all(fence.signaled for fence in fences)


def test_a_callback_may_move_the_timeline_on() -> None:
    timeline = Timeline()
    for point in range(1, 20):
        timeline.fence(point).add_callback(lambda _: timeline.advance())
    assert timeline.advance() == 1
    assert timeline.value == 20


# Races.


def test_fences_are_made_while_the_timeline_moves(any_world: sync.World) -> None:
    """A fence made at the very moment its point is reached signals all the same."""
    timeline, moved = Timeline(), 0

    def make() -> None:
        for point in range(1, 301):
            assert timeline.fence(point).wait(LONG_S)

    makers = [any_world.spawn(make, name=f"maker{index}") for index in range(2)]
    while not all(maker.done for maker in makers):
        timeline.advance()
        moved += 1
        any_world.sleep(0.00001)
    assert any_world.failures == []
    assert timeline.value == moved


def test_two_may_move_one_timeline_at_once(any_world: sync.World) -> None:
    timeline, start = Timeline(), sync.Gate()
    fences = [timeline.fence(point) for point in range(1, 401)]
    ran: list[int] = []
    for fence in fences:
        fence.add_callback(lambda fence: ran.append(fence.seqno))

    def move() -> int:
        start.wait(LONG_S)
        return sum(timeline.advance(2) for _ in range(100))

    movers = [any_world.spawn(move, name=f"mover{index}") for index in range(2)]
    start.open()
    assert all(mover.join(LONG_S) for mover in movers)
    assert sum(mover.result for mover in movers) == 400
    assert sorted(ran) == list(range(1, 401))


def test_a_close_meets_sleepers(any_world: sync.World) -> None:
    timeline = Timeline()
    sleepers = [
        any_world.spawn(lambda point=point: timeline.fence(point).wait(LONG_S), name=f"sleeper{point}")  # type: ignore[misc]
        for point in range(1, 9)
    ]
    any_world.sleep(0.005)
    wanted = [timeline.fence(point) for point in range(1, 9)]
    timeline.close()
    assert wait_any(wanted, 0) == 0
    for sleeper in sleepers:
        assert sleeper.join(LONG_S)
        # One that came after the close was refused.
        assert sleeper.result or isinstance(sleeper.error, FileNotFoundError)


# Deadlines.


def test_of_several_deadlines_the_soonest_is_kept() -> None:
    timeline = Timeline()
    one, other = timeline.fence(1), timeline.fence(2)
    for when_ns in (70, 30, 50):
        one.set_deadline(when_ns)
    other.set_deadline(0)
    assert timeline.deadline_ns(one) == 30
    assert timeline.deadline_ns(other) == 0


def test_a_deadline_that_comes_after_the_signal_is_ignored() -> None:
    timeline = Timeline("sw")
    fence = timeline.fence(1)
    timeline.advance()
    fence.set_deadline(30)
    with pytest.raises(OSError, match=r"<TimelinePoint sw:1 signalled> has no deadline: nobody has set one") as refused:
        timeline.deadline_ns(fence)
    assert refused.value.errno == errno.ENOENT


def test_only_fences_of_timelines_are_asked_for_deadlines() -> None:
    one, other = Timeline("one"), Timeline("other")
    fence = other.fence(1)
    fence.set_deadline(3)
    assert one.deadline_ns(fence) == 3
    with pytest.raises(OSError, match=r"one was asked for the deadline of <Fence gfx:1 pending>") as refused:
        one.deadline_ns(Fence(1, 1, name="gfx"))
    assert refused.value.errno == errno.EINVAL


def test_deadlines_that_are_set_at_once_leave_the_soonest(any_world: sync.World) -> None:
    timeline = Timeline()
    fence = timeline.fence(1)

    def hint(start: int) -> None:
        for when_ns in range(start, 0, -2):
            fence.set_deadline(when_ns)

    tasks = [any_world.spawn(partial(hint, start), name=f"hint{start}") for start in (200, 201)]
    assert all(task.join(LONG_S) for task in tasks)
    assert timeline.deadline_ns(fence) == 1
