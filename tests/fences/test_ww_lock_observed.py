"""What observers see of wound/wait locks: who holds them, in which order, and who waits for whom."""

from __future__ import annotations

import errno
from functools import partial

import pytest

from fencepost import sync
from fencepost.actors import Runtime
from fencepost.checks import Kind, explore
from fencepost.checks.lock_order import LockOrderCycle
from fencepost.checks.tracked import Race, tracked
from fencepost.errors import Deadlock
from fencepost.fences import Fence
from fencepost.fences.locking import locked
from fencepost.fences.reservation import Reservation
from fencepost.fences.ww_lock import AcquireContext, WwLock
from fencepost.sync import current
from fencepost.sync.observer import signalling
from tests.checks.watching import Watched, watched_world
from tests.fences.kit import LONG_S


def circles(watched: Watched) -> list[str]:
    return [str(found) for found in watched.observers.findings if isinstance(found, LockOrderCycle)]


def test_who_holds_one_is_seen_to() -> None:
    with watched_world() as watched:
        watch = watched.world.here()
        with locked([Reservation("a"), WwLock("b")]):
            assert [str(lock.kind) for lock in watch.held] == ["Reservation", "WwLock"]
        assert watch.held == ()


def test_many_in_one_context_are_in_no_order() -> None:
    with watched_world() as watched:
        a, b = Reservation("a"), Reservation("b")
        for order in ([a, b], [b, a]):
            with locked(order):
                pass
    assert watched.observers.findings == ()


def test_two_without_a_context_are_a_circle() -> None:
    with watched_world() as watched, Reservation("a"), Reservation("b"):
        pass
    (said,) = circles(watched)
    assert said.startswith("two locks of one kind at once, in no known order: Reservation then Reservation")


def test_other_locks_have_their_place_in_the_order() -> None:
    with watched_world() as watched:
        inner, a, b = current().lock(), Reservation("a"), Reservation("b")
        with AcquireContext() as context:
            a.lock(context)
            with inner:
                b.lock(context)
    (said,) = circles(watched)
    assert said.count("Reservation then ") == 1
    assert said.count("then Reservation") == 1


def test_what_is_only_tried_for_is_no_order() -> None:
    with watched_world() as watched, Reservation("a"):
        other = Reservation("b")
        assert other.trylock()
        other.unlock()
    assert watched.observers.findings == ()


def test_a_wait_for_a_fence_while_holding_one_is_legal_and_one_taken_to_signal_is_not() -> None:
    with watched_world() as watched:
        reservation, fence = Reservation("a"), Fence()
        with reservation:
            fence.wait(0)
        assert circles(watched) == []
        with signalling(), reservation:
            pass
    (said,) = circles(watched)
    assert "the signalling of a fence then Reservation" in said


def test_what_is_done_under_one_is_in_order() -> None:
    @tracked("value")
    class Buffer:
        def __init__(self) -> None:
            self.value = 0

    def races(*, held: bool) -> int:
        with watched_world() as watched:
            buffer, lock = Buffer(), WwLock()

            def change() -> None:
                with locked([lock] if held else []):
                    buffer.value += 1

            tasks = [watched.world.spawn(change, name=name) for name in ("one", "other")]
            assert all(task.join(LONG_S) for task in tasks)
        return sum(isinstance(found, Race) for found in watched.observers.findings)

    assert races(held=True) == 0
    assert races(held=False) > 0


def test_a_deadlock_of_real_threads_is_raised_and_not_sat_out() -> None:
    """Two that have no contexts; whoever comes last is told."""
    with watched_world() as watched:
        one, other = WwLock("one"), WwLock("other")
        gates = sync.Gate("one is held"), sync.Gate("other is held")

        def take(mine: int) -> str:
            with (one, other)[mine]:
                gates[mine].open()
                gates[1 - mine].wait()
                try:
                    with (other, one)[mine]:
                        return "both"
                except Deadlock as error:
                    return str(error)

        tasks = [watched.world.spawn(partial(take, mine), name=f"task{mine}") for mine in (0, 1)]
        assert all(task.join(LONG_S) for task in tasks)
    said = sorted(task.result for task in tasks)
    assert said[0] == "both"
    assert said[1].startswith("these wait for each other") or "none of these can go on" in said[1]
    assert "task0 waits for <WwLock other, held by task1>, which is up to task1, holding WwLock" in said[1]
    assert "task1 waits for <WwLock one, held by task0>, which is up to task0, holding WwLock" in said[1]


def test_who_is_wounded_is_not_taken_for_stuck() -> None:
    """The older one waits at a moment at which the younger one was woken and has not gone on yet."""
    for _ in range(30):
        with watched_world() as watched:
            a, b, made = WwLock("a"), WwLock("b"), sync.Gate()

            def younger(a: WwLock = a, b: WwLock = b, made: sync.Gate = made) -> None:
                with AcquireContext() as context:
                    b.lock(context)
                    made.open()
                    try:
                        a.lock(context)
                    except OSError as error:
                        assert error.errno == errno.EDEADLK  # noqa: PT017 - in another task

            with AcquireContext() as old:
                a.lock(old)
                task = watched.world.spawn(younger, name="younger")
                made.wait()
                b.lock(old)
            assert task.join(LONG_S)
            assert watched.world.failures == []
        assert watched.observers.findings == ()


def test_a_search_with_observers_finds_nothing_in_the_right_order_and_the_wrong_one_at_once() -> None:
    def model(runtime: Runtime, *, by_context: bool) -> None:
        locks = [Reservation("a"), Reservation("b")]

        def take(*those: Reservation) -> None:
            if by_context:
                with locked(those):
                    pass
            else:
                with those[0], those[1]:
                    pass

        tasks = [runtime.spawn(lambda: take(*locks)), runtime.spawn(lambda: take(*reversed(locks)))]
        for task in tasks:
            task.join()

    clean = explore(lambda runtime: model(runtime, by_context=True), schedules=200, observe=True)
    assert not clean.found, str(clean)
    wrong = explore(lambda runtime: model(runtime, by_context=False), schedules=1, observe=True)
    assert wrong.kind in {Kind.LOCK_ORDER, Kind.DEADLOCK}


@pytest.mark.usefixtures("virtual")
def test_nothing_is_said_where_nobody_watches() -> None:
    with signalling(), Reservation("a"), Reservation("b"):
        pass
