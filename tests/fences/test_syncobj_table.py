"""What a client may do with its syncobjs, and how it is refused: the errno of each call."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from fencepost import sync
from fencepost.fences import (
    CreateFlags,
    Fence,
    FenceChain,
    ImportFlags,
    Interrupt,
    SyncFile,
    SyncobjTable,
    WaitFlags,
)
from fencepost.sync.virtual import VirtualWorld
from tests.fences.clients import BAD_FLAGS, BAD_HANDLE, LAST, POLL, Call, attach, state
from tests.fences.refusal import refused


@pytest.fixture(autouse=True)
def in_every_world(any_world: sync.World) -> None:
    """All of this is the same everywhere."""


@pytest.fixture
def table(in_every_world: None) -> SyncobjTable:  # noqa: ARG001 - inside of it
    return SyncobjTable("game")


# Waiting.


@pytest.fixture
def waits(table: SyncobjTable) -> list[Callable[..., int | None]]:
    """Both ways to wait, the second for the point that is everything."""

    def timeline_wait(handles: list[int], *args: Any, **options: Any) -> int | None:  # noqa: ANN401 - as the other
        return table.timeline_wait(handles, [0] * len(handles), *args, **options)

    return [table.wait, timeline_wait]


def test_a_wait_for_no_handles_is_over(waits: list[Callable[..., int | None]]) -> None:
    for wait in waits:
        assert wait([], POLL) is None
        with refused(errno.EINVAL, "handles none"):
            wait([], POLL, BAD_FLAGS)


def test_a_wait_that_was_refused(table: SyncobjTable, waits: list[Callable[..., int | None]]) -> None:
    signaled, empty, pending = table.create(CreateFlags.SIGNALED), table.create(), table.create()
    fence, interrupt = attach(table, pending), Interrupt("ctrl-c")
    for wait in waits:
        with refused(errno.EINVAL, "flags 0xdeadbeef"):
            wait([signaled], POLL, BAD_FLAGS)
        with refused(errno.ENOENT, "wait", str(BAD_HANDLE)):
            wait([signaled, BAD_HANDLE], POLL)
        with refused(errno.EINVAL, f"handles {signaled}, {empty}", "syncobj 2 of game"):
            wait([signaled, empty], POLL)
        for flags in (WaitFlags.FOR_SUBMIT, WaitFlags.ALL | WaitFlags.FOR_SUBMIT):
            with refused(errno.ETIME, "syncobj 2 of game"):
                wait([empty], POLL, flags)
        for timeout_ns in (0, -1, (1 << 64) - 1, 1 << 63):
            with refused(errno.ETIME, "syncobj 3 of game"):
                wait([pending], timeout_ns)
        for timeout_ns in (1 << 64, -(1 << 63) - 1):
            with refused(errno.EINVAL, f"time-out at {timeout_ns} ns"):
                wait([signaled], timeout_ns)
        interrupt.send()
        with refused(errno.EINTR, "ctrl-c"):
            wait([pending], (1 << 63) - 1, interrupt=interrupt)
        interrupt.clear()
    fence.signal()
    assert [wait([signaled, pending], POLL, WaitFlags.ALL) for wait in waits] == [0, 0]


def test_available_is_for_timelines(table: SyncobjTable) -> None:
    handle = table.create()
    with refused(errno.EINVAL, "flags 0x4"):
        table.wait([handle], POLL, WaitFlags.AVAILABLE)
    with refused(errno.ETIME):
        table.timeline_wait([handle], [3], POLL, WaitFlags.AVAILABLE)
    fence = attach(table, handle, 3)
    assert table.timeline_wait([handle], [3], POLL, WaitFlags.AVAILABLE) == 0
    with refused(errno.EINVAL, "point 4"):
        table.timeline_wait([handle], [4], POLL)
    fence.signal()


@pytest.mark.parametrize("points", [[], [1, 2], [-1], [1 << 64]])
def test_points_that_do_not_fit(table: SyncobjTable, points: list[int]) -> None:
    handle = table.create()
    calls: list[Call] = [
        partial(table.timeline_wait, [handle], points, POLL, WaitFlags.FOR_SUBMIT),
        partial(table.timeline_signal, [handle], points),
    ]
    for call in calls:
        with refused(errno.EINVAL, f"handles {handle}", "point"):
            call()
    assert state(table, handle) == [None]


def test_the_index_of_what_is_done_first(table: SyncobjTable) -> None:
    handles = [table.create() for _ in range(6)]
    fences = [attach(table, handle) for handle in handles]
    table.signal(handles[4:])
    assert table.wait(handles, POLL) == 4
    with refused(errno.ETIME, "handles 1, 2, 3, 4 and 2 more"):
        table.wait(handles, POLL, WaitFlags.ALL)
    table.signal(handles[:4])
    assert table.wait(handles, POLL, WaitFlags.ALL) == 0
    assert not any(fence.signaled for fence in fences)


def test_handles_may_be_destroyed_during_a_wait(virtual: VirtualWorld) -> None:
    table = SyncobjTable()
    handle = table.create()
    fence = attach(table, handle)
    task = virtual.spawn(partial(table.wait, [handle], (1 << 63) - 1), name="client")
    virtual.pass_turn()
    table.destroy(handle)
    fence.signal()
    assert task.join()
    assert task.result == 0


def test_a_deadline_reaches_the_fence(table: SyncobjTable) -> None:
    class Hinted(Fence):
        def set_deadline(self, when_ns: int) -> None:
            hints.append(when_ns)

    hints: list[int] = []
    handle, fence = table.create(), Hinted()
    with SyncFile(fence) as file:
        table.fd_to_handle(file, ImportFlags.SYNC_FILE, handle=handle)
    for flags in (0, WaitFlags.DEADLINE):
        with refused(errno.ETIME):
            table.wait([handle], POLL, flags, deadline_ns=77)
    assert hints == [77]


# Changing and asking.


def test_reset_and_signal(table: SyncobjTable) -> None:
    handles = [table.create() for _ in range(3)]
    table.signal(handles)
    assert table.wait(handles, POLL, WaitFlags.ALL) == 0
    assert len({id(fence) for fence in state(table, *handles)}) == 3
    table.reset(handles)
    assert state(table, *handles) == [None, None, None]


def test_points_are_signalled_and_asked_for(table: SyncobjTable) -> None:
    one, other = table.create(), table.create()
    table.timeline_signal([one, other, one], [3, 5, 4])
    assert table.query([one, other]) == [4, 5]
    fence = attach(table, one, 9)
    assert table.query([one, other], LAST) == [9, 5]
    assert table.query([one, other]) == [4, 5]
    fence.signal()
    assert table.query([one]) == [9]


def test_points_that_are_not_given_are_0(table: SyncobjTable) -> None:
    handle = table.create()
    table.timeline_signal([handle])
    assert table.wait([handle], POLL) == 0
    assert table.query([handle]) == [0]
    with refused(errno.EINVAL):
        table.timeline_wait([handle], [1], POLL)


def test_no_timeline_is_at_0(table: SyncobjTable) -> None:
    handles = [table.create(), table.create(CreateFlags.SIGNALED)]
    assert table.query(handles) == table.query(handles, LAST) == [0, 0]


def test_a_transfer(table: SyncobjTable) -> None:
    source, target = table.create(), table.create()
    fence = attach(table, source, 2)
    table.transfer(source, target, source_point=2)
    table.transfer(source, target, source_point=1, point=7)
    assert table.query([target], LAST) == [7]
    head = state(table, target)[0]
    assert isinstance(head, FenceChain)
    assert head.fence is fence
    fence.signal()
    assert table.query([source, target]) == [2, 7]


def refusals_of_changes(table: SyncobjTable) -> list[tuple[int, Call]]:
    handles = [table.create(CreateFlags.SIGNALED), table.create()]
    table.timeline_signal(handles[:1], [4])
    one, empty = handles
    bad = [*handles, BAD_HANDLE]
    return [
        (errno.EINVAL, partial(table.reset, handles, pad=1)),
        (errno.EINVAL, partial(table.reset, [])),
        (errno.ENOENT, partial(table.reset, bad)),
        (errno.EINVAL, partial(table.signal, handles, pad=1)),
        (errno.EINVAL, partial(table.signal, [])),
        (errno.ENOENT, partial(table.signal, bad)),
        (errno.EINVAL, partial(table.timeline_signal, handles, [5, 5], 1)),
        (errno.EINVAL, partial(table.timeline_signal, [], [])),
        (errno.EINVAL, partial(table.timeline_signal, handles, [5, -1])),
        (errno.EINVAL, partial(table.timeline_signal, handles, [5])),
        (errno.ENOENT, partial(table.timeline_signal, bad, [5, 5, 5])),
        (errno.EINVAL, partial(table.query, handles, BAD_FLAGS)),
        (errno.EINVAL, partial(table.query, [])),
        (errno.ENOENT, partial(table.query, bad)),
        (errno.EINVAL, partial(table.transfer, one, empty, pad=1)),
        (errno.EINVAL, partial(table.transfer, one, empty, flags=WaitFlags.AVAILABLE)),
        (errno.ENOENT, partial(table.transfer, BAD_HANDLE, empty)),
        (errno.ENOENT, partial(table.transfer, one, BAD_HANDLE)),
        (errno.EINVAL, partial(table.transfer, empty, one)),
        (errno.EINVAL, partial(table.transfer, one, empty, source_point=5)),
        (errno.EINVAL, partial(table.transfer, one, empty, source_point=5, point=5)),
        (errno.EINVAL, partial(table.transfer, one, empty, point=1 << 64)),
    ]


def test_what_is_refused_has_changed_nothing(table: SyncobjTable) -> None:
    refusals = refusals_of_changes(table)
    before = state(table, 1, 2)
    for number, call in refusals:
        with refused(number, "game."):
            call()
        assert state(table, 1, 2) == before


def test_a_transfer_that_waits_is_given_up_or_interrupted(virtual: VirtualWorld) -> None:
    table, interrupt = SyncobjTable("game"), Interrupt("ctrl-c")
    source, target = table.create(), table.create()
    for point in (0, 3):
        transfer = partial(table.transfer, source, target, point=point, flags=WaitFlags.FOR_SUBMIT)
        begin_ns = virtual.now_ns()
        with refused(errno.ETIME, "game.transfer, handles 1, 2"):
            transfer()
        assert virtual.now_ns() == begin_ns + 5 * sync.NS_PER_S
        virtual.timers.call_at(virtual.now_ns() + 7, interrupt.send)
        with refused(errno.EINTR, "ctrl-c"):
            transfer(interrupt=interrupt)
        interrupt.clear()
    assert state(table, target) == [None]
