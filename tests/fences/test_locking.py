"""Taking any number of wound/wait locks: nobody waits for ever, whatever is asked for by whom and when."""

from __future__ import annotations

import errno
import random
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fencepost import sync
from fencepost.actors import Runtime
from fencepost.checks import Kind, Model, explore
from fencepost.checks.search.dfs import DfsStrategy
from fencepost.fences.interrupt import Interrupt
from fencepost.fences.locking import locked
from fencepost.fences.ww_lock import AcquireContext, LockWait, WwLock
from fencepost.sync.virtual import VirtualWorld

LONG_S: Final = 60.0
FIELDS: Final = {WwLock: "_holder _context _waits", AcquireContext: "_held _waiter wounded", LockWait: "over"}
"""All that their locks protect."""

SUBSETS: Final = st.lists(st.lists(st.integers(0, 3), max_size=4), min_size=2, max_size=4)
"""Which of four locks each of some tasks wants, in which order."""


def test_all_are_held_and_one_that_is_named_twice_once(any_world: sync.World) -> None:
    a, b = WwLock("a"), WwLock("b")
    with locked([b, a, b]) as context:
        assert context.held == (b, a)
        assert a.holder is b.holder is any_world.task()
    assert a.holder is b.holder is None


def test_none_is_as_good_as_many() -> None:
    with locked([]) as context:
        assert context.held == ()


def test_an_exception_gives_all_back() -> None:
    a = WwLock("a")
    with pytest.raises(ZeroDivisionError), locked([a]):
        raise ZeroDivisionError
    assert a.holder is None


def test_an_interrupt_leaves_nothing_held(virtual: sync.World) -> None:
    a, b, interrupt = WwLock("a"), WwLock("b"), Interrupt()

    def take() -> int | None:
        with pytest.raises(OSError, match="ended the wait") as caught, locked([a, b], interrupt=interrupt):
            pass
        return caught.value.errno

    with b:
        task = virtual.spawn(take, name="taker")
        virtual.sleep(0.001)
        assert a.holder is task
        interrupt.send()
        task.join()
        assert task.result == errno.EINTR
        assert a.holder is None


class Counted(WwLock):
    """Counts how often somebody is told to back off, and who is in."""

    backed_off = 0

    def _back_off(self, context: AcquireContext) -> OSError:
        Counted.backed_off += 1
        return super()._back_off(context)


def test_the_younger_begins_anew_with_the_lock_it_was_refused(
    virtual: sync.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it waits in peace, and is not refused again and again."""
    monkeypatch.setattr(Counted, "backed_off", 0)
    a, b, c = Counted("a"), Counted("b"), Counted("c")
    began, order = sync.Gate(), list[tuple[WwLock, ...]]()

    def younger() -> None:
        began.wait()
        with locked([c, b, a]) as context:
            order.append(context.held)

    task = virtual.spawn(younger, name="younger")
    with AcquireContext() as old:
        a.lock(old)
        began.open()
        virtual.sleep(0.001)
        b.lock(old)
        virtual.sleep(0.001)
    task.join()
    assert order == [(a, c, b)]
    assert Counted.backed_off == 1


def test_the_oldest_gets_through_a_crowd_that_never_rests(virtual: sync.World) -> None:
    """Others hold one of its locks each, and take it again at once, for as long as it has not got them all."""
    locks, got = [WwLock(str(number)) for number in range(3)], sync.Gate()

    def crowd(mine: int) -> None:
        for _ in range(10_000):
            if got.is_open:
                return
            with locked([locks[mine], locks[mine - 1]]):
                virtual.sleep(0.001)
        raise AssertionError("the oldest did not get through")

    tasks = [virtual.spawn(partial(crowd, mine), name=f"crowd{mine}") for mine in range(3)]
    virtual.sleep(0.0005)
    with locked(locks):
        got.open()
    for task in tasks:
        task.join()
    assert virtual.now_ns() < 10**9


# Random subsets.


def take_all(world: sync.World, wanted: Sequence[Sequence[int]], rounds: int = 1) -> None:
    """Have a task for each of `wanted` take these locks again and again; fails when two are in one at once."""
    locks = [WwLock(str(number)) for number in range(1 + max((max(each, default=0) for each in wanted), default=0))]
    inside = [0] * len(locks)

    def run(mine: Sequence[int]) -> None:
        for _ in range(rounds):
            with locked([locks[number] for number in mine]):
                for number in set(mine):
                    inside[number] += 1
                    assert inside[number] == 1
                for number in set(mine):
                    inside[number] -= 1

    tasks = [world.spawn(partial(run, mine), name=f"task{index}") for index, mine in enumerate(wanted)]
    assert all(task.join(LONG_S) for task in tasks)
    assert world.failures == []
    assert all(lock.holder is None for lock in locks)


@given(SUBSETS)
def test_threads_that_take_random_subsets_all_get_them(wanted: list[list[int]]) -> None:
    world = sync.world("native")
    world.enter()
    try:
        take_all(world, wanted, rounds=20)
    finally:
        assert world.close() == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_many_threads_that_take_many_of_many_all_get_them(native: sync.World, seed: int) -> None:
    dice = random.Random(seed)
    wanted = [dice.sample(range(30), dice.randrange(1, 12)) for _ in range(12)]
    take_all(native, wanted, rounds=100)


@given(SUBSETS, st.integers(0, 2**32))
def test_in_virtual_time_too(wanted: list[list[int]], seed: int) -> None:
    """Each holder sleeps for a while, so that all meet."""
    dice = random.Random(seed)
    world = VirtualWorld()
    world.enter()
    locks = [WwLock(str(number)) for number in range(4)]

    def run(mine: Sequence[int]) -> None:
        for _ in range(3):
            with AcquireContext() as context:
                lock_slowly(context, [locks[number] for number in dict.fromkeys(mine)])
                world.sleep(dice.randrange(3) / 1000)

    def lock_slowly(context: AcquireContext, those: Sequence[WwLock]) -> None:
        """Lock them with sleeps between, in whatever order it takes."""
        while len(context.held) < len(those):
            lock = next(lock for lock in those if lock not in context.held)
            try:
                lock.lock(context)
            except OSError as error:
                assert error.errno == errno.EDEADLK  # noqa: PT017 - one of many
                context.unlock_all()
                lock.lock(context)
            world.sleep(dice.randrange(3) / 1000)

    tasks = [world.spawn(partial(run, mine), name=f"task{index}") for index, mine in enumerate(wanted)]
    for task in tasks:
        task.join()
    assert world.close() == []
    assert world.failures == []


# Under search.


class Unwounding(WwLock):
    """Asks nobody to give way."""

    __slots__ = ()

    def _wound_locked(self, context: AcquireContext) -> None:
        pass


def taking(lock_class: type[WwLock], wanted: Sequence[Sequence[int]]) -> Model:
    """Make a model in which a task for each of `wanted` takes these locks."""

    def model(runtime: Runtime) -> None:
        locks = [lock_class(str(number)) for number in range(4)]
        inside, step = set[int](), runtime.world.lock()

        def run(mine: Sequence[int]) -> None:
            with locked([locks[number] for number in mine]):
                with step:
                    assert inside.isdisjoint(mine), "two are in at once"
                    inside.update(mine)
                with step:
                    inside.difference_update(mine)

        for task in [runtime.spawn(partial(run, mine)) for mine in wanted]:
            task.join()
        assert all(lock.holder is None for lock in locks)

    return model


CROSSED: Final = [[0, 1], [1, 0]]


def prove(bound: int, fields: Mapping[type, str] = MappingProxyType({})) -> None:
    """Run every schedule with up to `bound` preemptions, but for those that differ only in unrelated steps."""
    report = explore(taking(WwLock, CROSSED), strategy=DfsStrategy(bound), schedules=1_000_000, fields=fields)
    assert not report.found, str(report)
    assert report.complete


def test_two_tasks_and_two_locks_are_free_of_deadlock_up_to_two_preemptions() -> None:
    prove(2)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_tasks_and_two_locks_are_free_of_deadlock_up_to_four_preemptions() -> None:
    prove(4)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_tasks_and_two_locks_are_free_of_deadlock_and_of_missing_locks() -> None:
    prove(2, FIELDS)


def test_without_the_wound_they_deadlock() -> None:
    report = explore(taking(Unwounding, CROSSED), strategy="dfs", schedules=1000)
    assert report.kind is Kind.DEADLOCK
    assert "held by client1" in report.message


@settings(max_examples=40)
@given(SUBSETS, st.integers(0, 2**32))
def test_no_schedule_of_random_subsets_deadlocks(wanted: list[list[int]], seed: int) -> None:
    report = explore(taking(WwLock, wanted), schedules=15, seed=seed, fields=FIELDS)
    assert not report.found, str(report)


def test_three_in_a_circle_under_search() -> None:
    circle = [[0, 1], [1, 2], [2, 0]]
    report = explore(taking(WwLock, circle), schedules=300, fields=FIELDS)
    assert not report.found, str(report)
    assert explore(taking(Unwounding, circle), schedules=300).kind is Kind.DEADLOCK
