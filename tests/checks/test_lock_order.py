from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from fencepost.actors import Runtime
from fencepost.checks import Kind, explore
from fencepost.checks.lock_order import LockOrder
from fencepost.checks.observers import Observers
from fencepost.fences import Fence, wait_any
from fencepost.sync import Lock, current
from fencepost.sync.observed import ObservedWorld
from fencepost.sync.observer import begin_signalling, end_signalling, name_lock, signalling
from tests.checks.watching import one_after_the_other, watched_world


class Locks:
    """Locks, each of a kind of its own."""

    def __init__(self) -> None:
        self.first: Lock = current().lock()
        self.second: Lock = current().lock()
        self.third: Lock = current().lock()

    def nest(self, *names: str) -> None:
        """Take these, one inside the other."""
        if names:
            with getattr(self, names[0]):
                self.nest(*names[1:])


def cycles(*orders: Sequence[str]) -> list[str]:
    """Take locks in each of these orders, one after the other in the same task."""
    with watched_world() as watched:
        locks = Locks()
        for order in orders:
            locks.nest(*order)
    return [str(cycle) for cycle in watched.observers.lock_order.found]


def test_two_locks_in_both_orders_are_reported_though_nobody_deadlocked() -> None:
    (said,) = cycles(["first", "second"], ["second", "first"])
    assert "Locks.first (test_lock_order.py" in said
    assert said.count("in Locks.nest") >= 2
    assert said.count("by MainThread") == 2


def test_three_locks_in_a_circle_are_reported() -> None:
    (said,) = cycles(["first", "second"], ["second", "third"], ["third", "first"])
    assert said.count(" then ") == 3


@pytest.mark.parametrize(
    "orders",
    [
        [["first", "second"], ["first", "second"]],
        [["first", "second", "third"], ["first", "third"], ["second", "third"]],
        [["first"], ["second"], ["third"]],
    ],
)
def test_locks_in_one_order_are_not(orders: Sequence[Sequence[str]]) -> None:
    assert cycles(*orders) == []


def test_a_circle_is_reported_once() -> None:
    assert len(cycles(*[["first", "second"], ["second", "first"]] * 3)) == 1


def test_two_locks_of_one_kind_at_once_are_reported_unless_they_are_named_apart() -> None:
    def nested(name: str | None) -> int:
        with watched_world() as watched:
            outer, inner = (Fence() for _ in range(2))
            if name is not None:
                name_lock(lock_of(outer), name)
            with lock_of(outer), lock_of(inner):
                pass
        return len(watched.observers.lock_order.found)

    assert nested(None) == 1
    assert nested("lock of a container") == 0


def lock_of(fence: Fence) -> Lock:
    return fence._lock  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the one lock that every fence has


def test_trying_a_lock_makes_no_order() -> None:
    with watched_world() as watched:
        locks = Locks()
        locks.nest("first", "second")
        with locks.second:
            assert locks.first.acquire(False)  # noqa: FBT003 - positional in the protocol
            locks.first.release()
    assert watched.observers.lock_order.found == []


def test_what_was_tried_is_held_all_the_same() -> None:
    with watched_world() as watched:
        locks = Locks()
        locks.nest("second", "first")
        assert locks.first.acquire(False)  # noqa: FBT003
        with locks.second:
            pass
        locks.first.release()
    assert len(watched.observers.lock_order.found) == 1


def test_a_lock_that_another_task_gives_back_is_a_flag_that_nobody_holds() -> None:
    with watched_world() as watched:
        locks = Locks()
        one_after_the_other(watched, locks.first.acquire, locks.first.release)
        locks.nest("first", "second")
        locks.nest("second", "first")
    assert watched.observers.lock_order.found == []


def test_locks_may_be_given_back_in_any_order() -> None:
    with watched_world() as watched:
        locks = Locks()
        locks.first.acquire()
        locks.second.acquire()
        locks.first.release()
        locks.third.acquire()
        locks.second.release()
        locks.third.release()
        assert watched.world.here().held == ()
    assert watched.observers.lock_order.found == []


def test_worlds_that_share_what_they_know_find_a_circle_between_them() -> None:
    order = LockOrder()
    kept: list[Observers] = []
    for names in (["first", "second"], ["second", "first"]):
        observers = Observers(lock_order=order)
        with Runtime(world=ObservedWorld(observers)):
            Locks().nest(*names)
        kept.append(observers)
    assert [len(observers.findings) for observers in kept] == [1, 1]
    assert Observers(lock_order=order).findings == ()


# Fences.


def wait_for_it(fence: Fence) -> None:
    assert not fence.wait(0)


def wait_for_any(fence: Fence) -> None:
    assert wait_any([fence], 0.001) is None


def signalled_with(section: Callable[[Locks], object], wait: Callable[[Fence], object] = wait_for_it) -> int:
    """Wait for a fence that is pending while holding the first lock; run `section` in a signalling section."""
    with watched_world() as watched:
        locks, fence = Locks(), Fence()
        with locks.first:
            wait(fence)
        with signalling():
            section(locks)
            fence.signal()
    return len(watched.observers.lock_order.found)


@pytest.mark.parametrize("wait", [wait_for_it, wait_for_any])
def test_a_wait_while_holding_what_the_signal_needs_is_reported(wait: Callable[[Fence], object]) -> None:
    assert signalled_with(lambda locks: locks.nest("first"), wait) == 1


def test_a_wait_while_holding_what_the_signal_needs_by_way_of_another_lock_is_reported() -> None:
    def section(locks: Locks) -> None:
        end_signalling(True)  # noqa: FBT003 - for a moment outside of it
        locks.nest("second", "first")
        begin_signalling()
        locks.nest("second")

    assert signalled_with(section) == 1


def test_a_wait_while_holding_what_the_signal_does_not_need_is_not() -> None:
    assert signalled_with(lambda locks: locks.nest("second")) == 0


def test_entering_a_section_while_holding_a_lock_makes_no_order() -> None:
    with watched_world() as watched:
        locks = Locks()
        with locks.first, signalling():
            pass
        with signalling():
            locks.nest("first")
    assert watched.observers.lock_order.found == []


def test_sections_nest() -> None:
    with watched_world() as watched:
        locks, fence = Locks(), Fence()
        outer = begin_signalling()
        end_signalling(begin_signalling())
        locks.nest("first")
        end_signalling(outer)
        locks.nest("second")
        with locks.second:
            wait_for_it(fence)
        assert watched.observers.lock_order.found == []
        with locks.first:
            wait_for_it(fence)
    assert len(watched.observers.lock_order.found) == 1


def test_annotations_cost_nothing_and_say_nothing_in_an_unwatched_world() -> None:
    assert not begin_signalling()
    end_signalling(False)  # noqa: FBT003 - the one thing it takes
    name_lock(current().lock(), "whatever")


# In the controlled world.


def both_orders(runtime: Runtime) -> None:
    """The two never meet: one has ended when the other begins."""
    locks = Locks()
    runtime.spawn(lambda: locks.nest("first", "second")).join()
    runtime.spawn(lambda: locks.nest("second", "first")).join()


def one_order(runtime: Runtime) -> None:
    locks = Locks()
    for _ in range(2):
        runtime.spawn(lambda: locks.nest("first", "second")).join()


def test_an_exploration_finds_a_circle_that_no_schedule_deadlocks_in() -> None:
    assert explore(both_orders, schedules=1, observe=True).kind is Kind.LOCK_ORDER
    assert not explore(both_orders, schedules=100).found
    assert not explore(one_order, schedules=100, observe=True).found
