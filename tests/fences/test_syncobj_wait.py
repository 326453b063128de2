"""Waiting for points: what is waited for, until when, and what is answered."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from fencepost import sync
from fencepost.errors import WrongContext
from fencepost.fences import Fence, HookedFence, Interrupt, Syncobj, WaitFlags, wait_points
from fencepost.sync.virtual import VirtualWorld
from tests.fences.refusal import refused

NONE = WaitFlags(0)
ALL, FOR_SUBMIT, AVAILABLE, DEADLINE = WaitFlags.ALL, WaitFlags.FOR_SUBMIT, WaitFlags.AVAILABLE, WaitFlags.DEADLINE
PAST = [0, -1, -(1 << 63)]
SECOND = sync.NS_PER_S


def filled(*fences: Fence) -> list[Syncobj]:
    """Make a syncobj of each fence."""
    syncobjs = [Syncobj(f"s{index}") for index in range(len(fences))]
    for syncobj, fence in zip(syncobjs, fences, strict=True):
        syncobj.replace(fence)
    return syncobjs


def wanted(syncobjs: Sequence[Syncobj], point: int = 0) -> list[tuple[Syncobj, int]]:
    return [(syncobj, point) for syncobj in syncobjs]


def poll(syncobjs: Sequence[Syncobj], flags: WaitFlags = NONE, point: int = 0) -> int | None:
    return wait_points(wanted(syncobjs, point), flags, 0)


def test_any_answers_with_the_lowest_that_is_done(any_world: sync.World) -> None:  # noqa: ARG001
    fences = [Fence() for _ in range(4)]
    syncobjs = filled(*fences)
    for index in (2, 3, 1):
        fences[index].signal()
        assert poll(syncobjs) == min(index, 2)


def test_all_answers_when_the_last_is_done(any_world: sync.World) -> None:  # noqa: ARG001
    fences = [Fence() for _ in range(3)]
    syncobjs = filled(*fences)
    for fence in fences:
        with refused(errno.ETIME, "all of 3", "s0"):
            poll(syncobjs, ALL)
        fence.signal()
    assert poll(syncobjs, ALL) == 0


def test_all_names_who_was_done_at_the_beginning(virtual: VirtualWorld) -> None:
    fences = [Fence() for _ in range(3)]
    syncobjs = filled(*fences)
    fences[1].signal()
    virtual.timers.call_at(1 * SECOND, fences[0].signal)
    virtual.timers.call_at(2 * SECOND, fences[2].signal)
    assert wait_points(wanted(syncobjs), ALL, 3 * SECOND) == 1
    assert virtual.now_ns() == 2 * SECOND
    fences = [Fence()]
    virtual.timers.call_at(3 * SECOND, fences[0].signal)
    assert wait_points(wanted(filled(*fences)), ALL, 4 * SECOND) is None


def test_a_wait_for_nothing_is_over(any_world: sync.World) -> None:  # noqa: ARG001
    assert wait_points([]) is None
    assert wait_points([], ALL | FOR_SUBMIT) is None


@pytest.mark.parametrize("flags", [NONE, ALL, DEADLINE, ALL | DEADLINE])
def test_what_was_not_submitted_is_refused_unless_the_wait_is_for_that(flags: WaitFlags) -> None:
    syncobjs = [*filled(Fence()), Syncobj("empty")]
    syncobjs[0].signal()
    with refused(errno.EINVAL, "empty", "point 0"):
        poll(syncobjs, flags)
    syncobjs[1].replace(Fence())
    with refused(errno.EINVAL, "empty", "point 1"):
        wait_points([(syncobjs[0], 0), (syncobjs[1], 1)], flags, 0)


def test_other_flags_are_refused() -> None:
    with refused(errno.EINVAL, "flags 0x10"):
        wait_points([], 16)


@pytest.mark.parametrize("when_ns", PAST)
@pytest.mark.parametrize("flags", [NONE, ALL, FOR_SUBMIT, AVAILABLE, ALL | FOR_SUBMIT | AVAILABLE])
def test_what_is_past_only_looks(when_ns: int, flags: WaitFlags, any_world: sync.World) -> None:
    with refused(errno.ETIME):
        wait_points(wanted(filled(Fence()), point=1 if flags & (FOR_SUBMIT | AVAILABLE) else 0), flags, when_ns)
    done = filled(Fence())
    done[0].signal()
    assert wait_points(wanted(done), flags, when_ns) == 0
    any_world.task().no_block = "it must not"
    with refused(errno.ETIME):
        wait_points(wanted(filled(Fence())), NONE, when_ns)
    any_world.task().no_block = None


def test_where_nobody_may_block_a_wait_is_refused_and_leaves_nothing(native: sync.World) -> None:
    fence = Fence()
    syncobjs = [*filled(fence), Syncobj()]
    native.task().no_block = "it must not"
    with pytest.raises(WrongContext, match="any of 2 points"):
        wait_points(wanted(syncobjs), FOR_SUBMIT)
    native.task().no_block = None
    syncobjs[1].replace(Fence())
    assert not fence._callbacks  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001


def test_a_wait_takes_back_what_it_added(any_world: sync.World) -> None:  # noqa: ARG001
    fences = [Fence(), Fence()]
    for flags in (NONE, ALL):
        with refused(errno.ETIME):
            poll(filled(*fences), flags)
        assert not any(fence._callbacks for fence in fences)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001


def test_a_poll_asks_the_fences_to_signal() -> None:
    class Lazy(HookedFence):
        def on_enable(self) -> bool:
            asked.append(self)
            return len(asked) < 2

    asked: list[Fence] = []
    fences = [Lazy(), Lazy()]
    with refused(errno.ETIME):
        poll(filled(fences[0]))
    assert asked == fences[:1]
    assert poll(filled(fences[1])) == 0


def test_an_error_does_not_matter(any_world: sync.World) -> None:  # noqa: ARG001
    fence = Fence()
    fence.signal(-errno.EIO)
    assert poll(filled(fence), ALL) == 0


def test_available_means_submitted(any_world: sync.World) -> None:  # noqa: ARG001
    syncobj, fence = Syncobj(), Fence()
    with refused(errno.ETIME):
        poll([syncobj], AVAILABLE, point=2)
    syncobj.add_point(fence, 2)
    assert poll([syncobj], AVAILABLE, point=2) == 0
    assert poll([syncobj], AVAILABLE | ALL, point=2) == 0
    with refused(errno.ETIME):
        poll([syncobj], FOR_SUBMIT, point=2)
    with refused(errno.ETIME):
        poll([syncobj], AVAILABLE, point=3)
    fence.signal()


def test_a_fence_that_comes_is_waited_for(virtual: VirtualWorld) -> None:
    syncobj, fence = Syncobj(), Fence()
    virtual.timers.call_at(1 * SECOND, lambda: syncobj.replace(fence))
    virtual.timers.call_at(2 * SECOND, fence.signal)
    assert wait_points([(syncobj, 0)], FOR_SUBMIT, 9 * SECOND) == 0
    assert virtual.now_ns() == 2 * SECOND


@pytest.mark.parametrize("flags", [AVAILABLE, AVAILABLE | FOR_SUBMIT])
def test_a_fence_that_comes_is_available(virtual: VirtualWorld, flags: WaitFlags) -> None:
    """Without FOR_SUBMIT too: once such a waiter slept until its time was up."""
    syncobj = Syncobj()
    virtual.timers.call_at(1 * SECOND, lambda: syncobj.add_point(Fence(), 1))
    virtual.timers.call_at(2 * SECOND, lambda: syncobj.add_point(Fence(), 2))
    assert wait_points([(syncobj, 2)], flags, 9 * SECOND) == 0
    assert virtual.now_ns() == 2 * SECOND


def test_points_come_one_by_one(virtual: VirtualWorld) -> None:
    syncobj, fences = Syncobj(), {point: Fence() for point in (1, 3, 4)}
    for at_s, point in enumerate(fences, 1):
        virtual.timers.call_at(at_s * SECOND, partial(syncobj.add_point, fences[point], point))
    for at_s, point in ((5, 4), (6, 1), (7, 3)):
        virtual.timers.call_at(at_s * SECOND, fences[point].signal)

    def wait(point: int) -> tuple[int | None, int]:
        return wait_points([(syncobj, point)], FOR_SUBMIT), sync.now_ns()

    waits = {point: virtual.spawn(partial(wait, point), name=f"client{point}") for point in (4, 2, 1)}
    assert all(wait.join() for wait in waits.values())
    assert {point: wait.result for point, wait in waits.items()} == {
        4: (0, 7 * SECOND),
        2: (0, 7 * SECOND),
        1: (0, 6 * SECOND),
    }


def renew(syncobj: Syncobj) -> None:
    syncobj.replace(Fence())


@pytest.mark.parametrize("change", [Syncobj.reset, Syncobj.signal, renew])
def test_what_was_found_is_waited_for_whatever_happens(
    virtual: VirtualWorld, change: Callable[[Syncobj], object]
) -> None:
    """The snapshot rule: at the beginning, and for what comes later."""
    for comes_later in (False, True):
        fence, syncobj, begin_ns = Fence(), Syncobj(), sync.now_ns()
        if comes_later:
            virtual.timers.call_at(begin_ns + 1, partial(syncobj.replace, fence))
        else:
            syncobj.replace(fence)
        virtual.timers.call_at(begin_ns + 2, partial(change, syncobj))
        virtual.timers.call_at(begin_ns + 9, fence.signal)
        wait_points([(syncobj, 0)], FOR_SUBMIT)
        assert sync.now_ns() == begin_ns + 9


def test_a_reset_of_nothing_is_nothing_to_a_waiter(virtual: VirtualWorld) -> None:
    syncobj = Syncobj()
    virtual.timers.call_at(1, syncobj.reset)
    virtual.timers.call_at(2, syncobj.signal)
    wait_points([(syncobj, 0)], FOR_SUBMIT)
    assert virtual.now_ns() == 2


def test_signalled_and_reset_at_once_is_seen_by_a_waiter(virtual: VirtualWorld) -> None:
    syncobj = Syncobj()

    def blink() -> None:
        syncobj.signal()
        syncobj.reset()

    virtual.timers.call_at(1, blink)
    assert wait_points([(syncobj, 0)], FOR_SUBMIT, SECOND) == 0


def test_the_end_is_a_point_in_time(virtual: VirtualWorld) -> None:
    """So beginning again after an interruption waits no longer, and the last moment still counts."""
    interrupt, fence = Interrupt("ctrl-c"), Fence()
    syncobjs = filled(fence)
    virtual.timers.call_at(3 * SECOND, interrupt.send)
    with refused(errno.EINTR, "ctrl-c", "s0"):
        wait_points(wanted(syncobjs), NONE, 5 * SECOND, interrupt=interrupt)
    assert virtual.now_ns() == 3 * SECOND
    with refused(errno.EINTR):
        wait_points(wanted(syncobjs), NONE, 5 * SECOND, interrupt=interrupt)
    interrupt.clear()
    with refused(errno.ETIME):
        wait_points(wanted(syncobjs), NONE, 5 * SECOND, interrupt=interrupt)
    assert virtual.now_ns() == 5 * SECOND


def test_what_is_done_counts_before_the_time_and_that_before_the_interruption(any_world: sync.World) -> None:  # noqa: ARG001
    interrupt = Interrupt()
    interrupt.send()
    with refused(errno.ETIME):
        wait_points(wanted(filled(Fence())), NONE, 0, interrupt=interrupt)
    done = filled(Fence())
    done[0].signal()
    assert wait_points(wanted(done), NONE, 0, interrupt=interrupt) == 0


class Hinted(Fence):
    """Keeps the hints it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.hints: list[int] = []

    def set_deadline(self, when_ns: int) -> None:
        self.hints.append(when_ns)


def test_a_deadline_is_told_to_what_is_there_at_the_beginning(virtual: VirtualWorld) -> None:
    here, comes, syncobj = Hinted(), Hinted(), Syncobj()
    virtual.timers.call_at(1, lambda: syncobj.replace(comes))
    virtual.timers.call_at(2, here.signal)
    virtual.timers.call_at(2, comes.signal)
    wait_points([*wanted(filled(here)), (syncobj, 0)], ALL | FOR_SUBMIT | DEADLINE, deadline_ns=77)
    assert (here.hints, comes.hints) == ([77], [])
    other = Hinted()
    with refused(errno.ETIME):
        wait_points(wanted(filled(other)), NONE, 0, deadline_ns=77)
    assert other.hints == []


def test_finding_a_fence_may_wait_for_five_seconds(virtual: VirtualWorld) -> None:
    syncobj, fence, interrupt = Syncobj("late"), Fence(), Interrupt()
    with refused(errno.ETIME, "late"):
        syncobj.find_fence(1, for_submit=True)
    assert virtual.now_ns() == 5 * SECOND
    virtual.timers.call_at(6 * SECOND, interrupt.send)
    with refused(errno.EINTR, "late"):
        syncobj.find_fence(1, for_submit=True, interrupt=interrupt)
    virtual.timers.call_at(8 * SECOND, lambda: syncobj.add_point(fence, 1))
    virtual.timers.call_at(8 * SECOND, syncobj.reset)
    found = syncobj.find_fence(1, for_submit=True)
    assert virtual.now_ns() == 8 * SECOND
    assert not found.signaled
    fence.signal()
    assert found.signaled


def test_a_transfer_may_wait_too(virtual: VirtualWorld) -> None:
    source, target, fence = Syncobj(), Syncobj(), Fence()
    virtual.timers.call_at(1 * SECOND, lambda: source.replace(fence))
    target.transfer(source, for_submit=True)
    assert target.fence is fence
    with refused(errno.ETIME):
        target.transfer(source, 4, 4, for_submit=True)
    assert virtual.now_ns() == 6 * SECOND
    assert target.fence is fence


def test_who_waits_says_for_what(virtual: VirtualWorld) -> None:
    syncobjs = [Syncobj("first"), Syncobj("second")]
    task = virtual.spawn(lambda: wait_points(wanted(syncobjs, 3), ALL | FOR_SUBMIT), name="client")
    virtual.pass_turn()
    assert str(task.waiting_on) == "all of 2 points, first point 3 of <first, empty>"
    for syncobj in syncobjs:
        syncobj.signal_point(3)
    assert task.join()


def test_a_submission_tells_everybody_even_if_somebody_fails(any_world: sync.World) -> None:  # noqa: ARG001
    syncobj, told = Syncobj(), list[Fence]()

    def fail(_: Fence) -> None:
        raise LookupError

    syncobj.seek(1, fail)
    syncobj.seek(2, told.append)
    with pytest.raises(LookupError):
        syncobj.add_point(Fence(), 2)
    assert told == [syncobj.fence]


def test_many_waiters_on_points_of_one_timeline(any_world: sync.World) -> None:
    syncobj, count = Syncobj(), 20
    waits = [
        any_world.spawn(partial(wait_points, [(syncobj, point)], FOR_SUBMIT), name=f"client{point}")
        for point in range(1, count + 1)
    ]
    fences = [Fence() for _ in range(count)]
    for point, fence in enumerate(fences, 1):
        syncobj.add_point(fence, point)
    for fence in reversed(fences):
        fence.signal()
    assert all(wait.join(20) for wait in waits)
    assert [wait.result for wait in waits] == [0] * count
