"""Syncobjs under search: a few tasks, many schedules; the smallest models whole."""

from __future__ import annotations

import errno
import os
from functools import partial
from typing import Final

import pytest

from fencepost.actors import Runtime
from fencepost.checks import Model, explore
from fencepost.fences import (
    Fence,
    FenceChain,
    Interrupt,
    Syncobj,
    SyncobjTable,
    WaitFlags,
    register_eventfd,
    wait_points,
)
from fencepost.sync import now_ns
from tests import searching
from tests.searching import joined

FOREVER: Final = (1 << 63) - 1

assert_clean = partial(searching.assert_clean, schedules=150)


def assert_proved(model: Model, *, preemptions: int, timers: str = "never") -> None:
    """Every schedule with so many preemptions at most."""
    report = explore(model, schedules=50_000, strategy=f"dfs{preemptions}", timers=timers)
    assert not report.found, str(report)
    assert report.complete


def outcome(wait: partial[int | None]) -> int | str | None:
    """Return what a wait answers, or the name of its errno."""
    try:
        return wait()
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def wait_of(syncobj: Syncobj, point: int = 0, flags: int = WaitFlags.FOR_SUBMIT) -> partial[int | None]:
    return partial(wait_points, [(syncobj, point)], flags)


def nobody_waits(*syncobjs: Syncobj) -> bool:
    """Say whether whatever is submitted now would be nothing to anybody."""
    return not any(syncobj._awaited.take(1 << 64) for syncobj in syncobjs)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001


def submission_against_registration(rt: Runtime, flags: int) -> None:
    syncobj, fence = Syncobj(), Fence()
    waiter = rt.spawn(wait_of(syncobj, 1, flags))
    joined(rt.spawn(partial(syncobj.add_point, fence, 1)), rt.spawn(fence.signal), waiter)
    assert waiter.result == 0 or flags & WaitFlags.ALL
    assert nobody_waits(syncobj)


@pytest.mark.parametrize("flags", [WaitFlags.FOR_SUBMIT, WaitFlags.AVAILABLE, WaitFlags.ALL | WaitFlags.FOR_SUBMIT])
def test_no_submission_and_no_signal_is_missed(flags: int) -> None:
    assert_clean(partial(submission_against_registration, flags=flags))


@pytest.mark.slow
@pytest.mark.parametrize("flags", [WaitFlags.FOR_SUBMIT, WaitFlags.AVAILABLE])
def test_no_submission_and_no_signal_is_missed_under_any_schedule(flags: int) -> None:
    assert_proved(partial(submission_against_registration, flags=flags), preemptions=2)


def test_a_fence_that_was_there_for_a_moment_is_enough_for_who_waits() -> None:
    def model(rt: Runtime) -> None:
        syncobj, fence = Syncobj(), Fence()
        waiter = rt.spawn(wait_of(syncobj))

        def blink() -> bool:
            waited_for = bool(syncobj._awaited._by_point)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
            syncobj.replace(fence)
            syncobj.reset()
            fence.signal()
            return waited_for

        blinking, resetting = rt.spawn(blink), rt.spawn(syncobj.reset)
        joined(blinking, resetting)
        if not blinking.result:
            # It may have looked too late.
            syncobj.signal()
        waiter.join()
        assert waiter.result == 0

    assert_clean(model)


def test_what_was_found_is_waited_for_though_it_is_replaced() -> None:
    def model(rt: Runtime) -> None:
        syncobj, fence, never = Syncobj(), Fence(), Fence()
        syncobj.replace(fence)
        waiter = rt.spawn(wait_of(syncobj))
        replacer = rt.spawn(partial(syncobj.replace, never))
        joined(rt.spawn(fence.signal), replacer)
        never.signal()
        waiter.join()
        assert waiter.result == 0

    assert_clean(model)


def test_handles_are_destroyed_during_a_wait() -> None:
    def model(rt: Runtime) -> None:
        table = SyncobjTable()
        handle = table.create()
        with table.handle_to_fd(handle) as file:
            other = table.fd_to_handle(file)
        waiter = rt.spawn(partial(outcome, partial(table.wait, [handle], FOREVER, WaitFlags.FOR_SUBMIT)))
        joined(rt.spawn(partial(table.destroy, handle)), rt.spawn(partial(table.signal, [other])), waiter)
        assert waiter.result in {0, "ENOENT"}

    assert_clean(model)


def test_no_handle_is_given_twice() -> None:
    def model(rt: Runtime) -> None:
        table = SyncobjTable()
        clients = [rt.spawn(table.create) for _ in range(2)]
        joined(*clients)
        assert sorted(client.result for client in clients) == [1, 2]

    assert_clean(model)


def test_two_waiters_for_different_points() -> None:
    def model(rt: Runtime) -> None:
        syncobj, fences = Syncobj(), [Fence(), Fence()]
        waiters = [rt.spawn(wait_of(syncobj, point)) for point in (2, 1)]

        def submit() -> None:
            for point, fence in enumerate(fences, 1):
                syncobj.add_point(fence, point)

        joined(rt.spawn(submit), *(rt.spawn(fence.signal) for fence in reversed(fences)), *waiters)
        assert [waiter.result for waiter in waiters] == [0, 0]
        assert syncobj.query() == 2
        assert nobody_waits(syncobj)

    assert_clean(model)


def test_all_of_several_that_come_and_signal_in_any_order() -> None:
    def model(rt: Runtime) -> None:
        syncobjs, fences = [Syncobj(), Syncobj()], [Fence(), Fence()]
        syncobjs[0].replace(fences[0])
        wait = partial(wait_points, [(syncobj, 0) for syncobj in syncobjs], WaitFlags.ALL | WaitFlags.FOR_SUBMIT)
        waiter = rt.spawn(wait)
        submitting = rt.spawn(partial(syncobjs[1].replace, fences[1]))
        joined(submitting, *(rt.spawn(fence.signal) for fence in fences), waiter)
        assert waiter.result in {0, 1, None}

    assert_clean(model)


def test_two_signals_at_once_are_both_counted() -> None:
    def model(rt: Runtime) -> None:
        syncobjs, fences = [Syncobj(), Syncobj()], [Fence(), Fence()]
        for syncobj, fence in zip(syncobjs, fences, strict=True):
            syncobj.replace(fence)
        waiter = rt.spawn(partial(wait_points, [(syncobj, 0) for syncobj in syncobjs], WaitFlags.ALL))
        joined(*(rt.spawn(fence.signal) for fence in fences), waiter)

    assert_clean(model)


def test_an_eventfd_hears_once_whoever_is_first() -> None:
    def model(rt: Runtime) -> None:
        syncobj, fence = Syncobj(), Fence()
        number = os.eventfd(0, os.EFD_NONBLOCK)
        try:
            joined(
                rt.spawn(partial(register_eventfd, syncobj, number, 1)),
                rt.spawn(partial(syncobj.add_point, fence, 1)),
                rt.spawn(fence.signal),
            )
            assert os.eventfd_read(number) == 1
        finally:
            os.close(number)

    assert_clean(model)


def test_time_is_up_at_any_moment() -> None:
    def model(rt: Runtime) -> None:
        syncobj, fence = Syncobj(), Fence()
        wait = partial(wait_of(syncobj), now_ns() + 1000)
        waiters = [rt.spawn(partial(outcome, wait)), rt.spawn(wait_of(syncobj))]
        joined(rt.spawn(partial(syncobj.replace, fence)), rt.spawn(fence.signal), *waiters)
        assert waiters[0].result in {0, "ETIME"}
        assert waiters[1].result == 0
        assert nobody_waits(syncobj)
        assert not fence._callbacks  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001

    assert_clean(model, timers="free")


def test_who_gives_up_as_the_point_comes_does_no_harm() -> None:
    def model(rt: Runtime) -> None:
        syncobj, leaver, told = Syncobj(), list[Fence](), list[Fence]()
        syncobj.seek(1, leaver.append)
        syncobj.seek(2, told.append)
        leaving = rt.spawn(partial(syncobj.forget, 1, leaver.append))
        joined(rt.spawn(partial(syncobj.signal_point, 2)), leaving)
        assert leaving.error is None
        assert told == [syncobj.fence]

    assert_clean(model)


def interrupt_against_wait(rt: Runtime) -> None:
    syncobj, interrupt = Syncobj(), Interrupt()
    waiter = rt.spawn(partial(outcome, partial(wait_of(syncobj), interrupt=interrupt)))
    joined(rt.spawn(interrupt.send), waiter)
    assert waiter.result == "EINTR"
    assert nobody_waits(syncobj)


def test_an_interrupt_is_not_missed() -> None:
    assert_clean(interrupt_against_wait)


@pytest.mark.slow
def test_an_interrupt_is_not_missed_under_any_schedule() -> None:
    assert_proved(interrupt_against_wait, preemptions=3)


def points_added_at_once(rt: Runtime) -> None:
    syncobj, fences = Syncobj(), [Fence(), Fence()]
    joined(*(rt.spawn(partial(syncobj.add_point, fence, point)) for point, fence in enumerate(fences, 1)))
    head = syncobj.find_fence()
    assert isinstance(head, FenceChain)
    assert syncobj.query(last_submitted=True) == 2
    fences[0].signal()
    assert not head.signaled
    fences[1].signal()
    assert head.signaled


def test_points_added_at_once_are_all_there() -> None:
    assert_clean(points_added_at_once)


@pytest.mark.slow
def test_points_added_at_once_are_all_there_under_any_schedule() -> None:
    assert_proved(points_added_at_once, preemptions=2)


def test_a_query_never_goes_back() -> None:
    def model(rt: Runtime) -> None:
        syncobj, fences = Syncobj(), [Fence() for _ in range(3)]

        def submit() -> None:
            for point, fence in enumerate(fences, 1):
                syncobj.add_point(fence, point)

        def ask() -> list[int]:
            return [syncobj.query() for _ in range(3)]

        askers = [rt.spawn(ask), rt.spawn(ask)]
        joined(rt.spawn(submit), *(rt.spawn(fence.signal) for fence in fences), *askers)
        for asker in askers:
            assert asker.result == sorted(asker.result)
        assert syncobj.query() == 3

    assert_clean(model)


def test_a_transfer_takes_the_fence_of_one_moment() -> None:
    def model(rt: Runtime) -> None:
        source, target, fence = Syncobj(), Syncobj(), Fence()
        source.replace(fence)

        def transfer() -> str:
            try:
                target.transfer(source, 0, 1)
            except OSError as error:
                return errno.errorcode[error.errno or 0]
            return ""

        transferring = rt.spawn(transfer)
        joined(rt.spawn(source.reset), rt.spawn(fence.signal), transferring)
        assert transferring.result == ("" if target.query() == 1 else "EINVAL")

    assert_clean(model)
