"""Syncobjs under real threads, and greenlets: order and completeness."""

from __future__ import annotations

import errno
import os
import selectors
from collections.abc import Callable
from functools import partial

from fencepost import sync
from fencepost.fences import (
    Fence,
    Interrupt,
    Syncobj,
    SyncobjTable,
    WaitFlags,
    register_eventfd,
    wait_points,
)
from tests.fences.kit import LONG_S, together

FOREVER = (1 << 63) - 1
ROUNDS = 40


def wait_of(syncobj: Syncobj, point: int = 0) -> Callable[[], int | None]:
    return partial(wait_points, [(syncobj, point)], WaitFlags.FOR_SUBMIT)


def outcome(call: Callable[[], object]) -> object:
    try:
        return call()
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def test_submission_signal_and_registration_at_once(any_world: sync.World) -> None:
    for _ in range(ROUNDS):
        syncobj, fence = Syncobj(), Fence()
        waiters = [wait_of(syncobj, 1), wait_of(syncobj), wait_of(syncobj, 1)]
        tasks = together(any_world, *waiters, partial(syncobj.add_point, fence, 1), fence.signal)
        assert [task.result for task in tasks[:3]] == [0, 0, 0]


def test_a_fence_that_was_there_for_a_moment_is_enough_for_who_waits(any_world: sync.World) -> None:
    for _ in range(ROUNDS):
        syncobj, fence = Syncobj(), Fence()
        waiters = [any_world.spawn(wait_of(syncobj), name=f"client{number}") for number in range(2)]
        while not all(str(waiter.waiting_on).startswith("any of 1") for waiter in waiters):
            any_world.sleep(0.0001)

        def blink(syncobj: Syncobj = syncobj, fence: Fence = fence) -> None:
            syncobj.replace(fence)
            syncobj.reset()

        together(any_world, blink, syncobj.reset, fence.signal)
        assert all(waiter.join(LONG_S) for waiter in waiters)


def test_handles_are_destroyed_during_waits(any_world: sync.World) -> None:
    for _ in range(ROUNDS):
        table, other = SyncobjTable("game"), SyncobjTable("compositor")
        handle = table.create()
        with table.handle_to_fd(handle) as file:
            imported = other.fd_to_handle(file)
        wait = partial(outcome, partial(table.wait, [handle], FOREVER, WaitFlags.FOR_SUBMIT))
        tasks = together(any_world, wait, wait, partial(table.destroy, handle), partial(other.signal, [imported]))
        assert {task.result for task in tasks[:2]} <= {0, "ENOENT"}


def test_eventfds_hear_once_whoever_is_first(native: sync.World) -> None:
    with selectors.DefaultSelector() as selector:
        for _ in range(ROUNDS):
            syncobj, fence, number = Syncobj(), Fence(), os.eventfd(0, os.EFD_NONBLOCK)
            register = partial(register_eventfd, syncobj, number, 2)
            together(native, register, register, partial(syncobj.add_point, fence, 2), fence.signal)
            selector.register(number, selectors.EVENT_READ)
            assert selector.select(LONG_S)
            assert os.eventfd_read(number) == 2
            selector.unregister(number)
            os.close(number)


def test_points_of_many_submitters_are_all_there(any_world: sync.World) -> None:
    for _ in range(ROUNDS):
        syncobj, fences = Syncobj(), [Fence() for _ in range(4)]
        waiter = any_world.spawn(wait_of(syncobj, 4), name="client")
        together(any_world, *(partial(syncobj.add_point, fence, point) for point, fence in enumerate(fences, 1)))
        assert syncobj.query(last_submitted=True) == 4
        together(any_world, *(fence.signal for fence in fences))
        assert syncobj.find_fence().wait(LONG_S)
        assert waiter.join(LONG_S)


def test_a_query_never_goes_back(any_world: sync.World) -> None:
    for _ in range(ROUNDS):
        syncobj, fences = Syncobj(), [Fence() for _ in range(20)]

        def submit(syncobj: Syncobj = syncobj, fences: list[Fence] = fences) -> None:
            for point, fence in enumerate(fences, (1 << 32) - 10):
                syncobj.add_point(fence, point)

        def signal(fences: list[Fence] = fences) -> None:
            for fence in fences:
                fence.signal()

        def ask(syncobj: Syncobj = syncobj) -> list[int]:
            return [syncobj.query() for _ in range(20)]

        tasks = together(any_world, ask, ask, submit, signal)
        for task in tasks[:2]:
            assert task.result == sorted(task.result)
        assert syncobj.query() == (1 << 32) + 9


def test_waits_that_are_given_up_interrupted_or_served_leave_nothing(any_world: sync.World) -> None:
    for turn in range(ROUNDS):
        syncobj, fence, interrupt = Syncobj(), Fence(), Interrupt()
        when_ns = any_world.now_ns() + (turn % 10) * 20_000
        wait = partial(wait_points, [(syncobj, 0)], WaitFlags.FOR_SUBMIT)
        tasks = together(
            any_world,
            partial(outcome, partial(wait, when_ns)),
            partial(outcome, partial(wait, interrupt=interrupt)),
            wait,
            interrupt.send,
            partial(syncobj.replace, fence),
            fence.signal,
        )
        assert tasks[0].result in {0, "ETIME"}
        assert tasks[1].result in {0, "EINTR"}
        assert tasks[2].result == 0
        assert not fence._callbacks  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
        assert not syncobj._awaited.take(FOREVER)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001


def test_transfers_to_and_fro_lose_no_fence(any_world: sync.World) -> None:
    for _ in range(ROUNDS):
        one, other, fences = Syncobj(), Syncobj(), [Fence(), Fence()]
        one.add_point(fences[0], 1)
        other.add_point(fences[1], 1)
        together(any_world, partial(one.transfer, other, 1, 2), partial(other.transfer, one, 1, 2))
        for syncobj in (one, other):
            assert syncobj.query(last_submitted=True) == 2
            assert not syncobj.find_fence().wait(0)
        together(any_world, *(fence.signal for fence in fences))
        assert one.query() == other.query() == 2
