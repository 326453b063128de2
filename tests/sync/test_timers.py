from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from fencepost import sync
from fencepost.errors import WrongContext
from fencepost.sync import timers as timers_module
from fencepost.sync.virtual import VirtualWorld

LONG_S = 20.0
MS = 1_000_000


def before_any_fires(world: sync.World, arm: Callable[[], object]) -> None:
    """Arm timers in the timer task itself: however slow that is, none fires before the last is armed."""
    world.timers.call_at(world.now_ns(), arm)


def test_functions_run_in_the_order_of_their_deadlines(any_world: sync.World) -> None:
    ran, gate = list[int](), sync.Gate()

    def arm() -> None:
        now_ns = any_world.now_ns()
        for delay in (3, 1, 4, 2):
            any_world.timers.call_at(now_ns + delay * 1000, partial(ran.append, delay))
        any_world.timers.call_at(now_ns + 5000, gate.open)

    before_any_fires(any_world, arm)
    assert gate.wait(LONG_S)
    assert ran == [1, 2, 3, 4]


def test_functions_of_one_deadline_run_in_the_order_they_were_armed(any_world: sync.World) -> None:
    ran, gate = list[int](), sync.Gate()

    def arm() -> None:
        when_ns = any_world.now_ns() + 1000
        for number in range(10):
            any_world.timers.call_at(when_ns, partial(ran.append, number))
        any_world.timers.call_at(when_ns, gate.open)

    before_any_fires(any_world, arm)
    assert gate.wait(LONG_S)
    assert ran == list(range(10))


def test_a_timer_is_never_early(any_world: sync.World) -> None:
    fired_ns: list[tuple[int, int]] = []
    gate = sync.Gate()
    start_ns = any_world.now_ns()
    for step in range(50):
        when_ns = start_ns + step * MS // 10
        any_world.timers.call_at(when_ns, lambda w=when_ns: fired_ns.append((w, any_world.now_ns())))  # type: ignore[misc]
    any_world.timers.call_at(start_ns + 5 * MS, gate.open)
    assert gate.wait(LONG_S)
    assert len(fired_ns) == 50
    assert all(now_ns >= when_ns for when_ns, now_ns in fired_ns)


def test_a_timer_that_is_earlier_than_all_others_is_not_kept_waiting_by_them(any_world: sync.World) -> None:
    far = any_world.timers.call_at(any_world.now_ns() + 3600 * 1000 * MS, lambda: None)
    any_world.sleep(0.001)
    gate = sync.Gate()
    any_world.timers.call_at(any_world.now_ns() + MS, gate.open)
    assert gate.wait(LONG_S)
    assert far.cancel()


def test_a_deadline_in_the_past_fires_soon(any_world: sync.World) -> None:
    gate = sync.Gate()
    any_world.timers.call_at(any_world.now_ns() - 1, gate.open)
    assert gate.wait(LONG_S)


def test_a_cancelled_timer_never_fires(any_world: sync.World) -> None:
    ran, gate, answers = list[str](), sync.Gate(), list[bool]()

    def arm() -> None:
        when_ns = any_world.now_ns()
        timer = any_world.timers.call_at(when_ns, partial(ran.append, "cancelled"))
        any_world.timers.call_at(when_ns, gate.open)
        answers.extend([timer.armed, timer.cancel(), timer.armed, timer.cancel()])

    before_any_fires(any_world, arm)
    assert gate.wait(LONG_S)
    assert answers == [True, True, False, False]
    assert ran == []


def test_cancelling_after_it_fired_says_so(any_world: sync.World) -> None:
    gate = sync.Gate()
    timer = any_world.timers.call_at(any_world.now_ns(), gate.open)
    assert gate.wait(LONG_S)
    assert not timer.cancel()
    assert not timer.armed


def test_a_function_may_cancel_one_that_is_due_at_the_same_time(any_world: sync.World) -> None:
    ran, gate, answers = list[str](), sync.Gate(), list[bool]()

    def arm() -> None:
        when_ns = any_world.now_ns()
        any_world.timers.call_at(when_ns, lambda: answers.append(victim.cancel()))
        victim = any_world.timers.call_at(when_ns, partial(ran.append, "victim"))
        any_world.timers.call_at(when_ns, gate.open)

    before_any_fires(any_world, arm)
    assert gate.wait(LONG_S)
    assert (answers, ran) == ([True], [])


def test_a_function_may_arm_another(any_world: sync.World) -> None:
    gate = sync.Gate()

    def again() -> None:
        any_world.timers.call_at(any_world.now_ns() + MS // 10, gate.open)

    any_world.timers.call_at(any_world.now_ns(), again)
    assert gate.wait(LONG_S)


@pytest.mark.parametrize("error", [LookupError("lost"), SystemExit(3)])
def test_a_function_that_raises_does_not_stop_the_others(native: sync.World, error: BaseException) -> None:
    def fail() -> None:
        raise error

    gate = sync.Gate()
    native.timers.call_at(native.now_ns(), fail)
    native.timers.call_at(native.now_ns(), gate.open)
    assert gate.wait(LONG_S)
    assert native.failures == [error]


def test_a_function_that_ends_the_program_ends_the_main_task_of_a_virtual_world(virtual: VirtualWorld) -> None:
    def fail() -> None:
        raise SystemExit(3)

    virtual.timers.call_at(5, fail)
    with pytest.raises(SystemExit):
        virtual.sleep(1)
    gate = sync.Gate()
    virtual.timers.call_at(virtual.now_ns(), gate.open)
    assert gate.wait(1)


def test_a_function_may_not_block(any_world: sync.World) -> None:
    done, shut = sync.Gate(), sync.Gate("shut gate")

    def block() -> None:
        try:
            shut.wait(LONG_S)
        finally:
            done.open()

    any_world.timers.call_at(any_world.now_ns(), block)
    assert done.wait(LONG_S)
    any_world.timers.stop()
    (timer_task,) = any_world.tasks
    assert timer_task.join(LONG_S)
    assert [type(failure) for failure in any_world.failures] == [WrongContext]
    assert "timers may not wait for <shut gate, shut>" in str(any_world.failures[0])


def test_nothing_fires_after_the_stop(any_world: sync.World) -> None:
    ran: list[str] = []
    timers = any_world.timers

    def arm() -> None:
        when_ns = any_world.now_ns()
        timers.call_at(when_ns, partial(ran.append, "before the stop"))
        timers.stop()
        timers.call_at(when_ns, partial(ran.append, "after the stop"))

    before_any_fires(any_world, arm)
    (timer_task,) = any_world.tasks
    assert timer_task.join(LONG_S)
    assert ran == []


def test_ten_thousand_timers_fire_each_once(any_world: sync.World) -> None:
    fired, gate, start_ns = list[int](), sync.Gate(), any_world.now_ns()
    for number in range(10_000):
        any_world.timers.call_at(start_ns + number * 1000, lambda number=number: fired.append(number))  # type: ignore[misc]
    any_world.timers.call_at(start_ns + 10_000_000, gate.open)
    assert gate.wait(LONG_S)
    assert sorted(fired) == list(range(10_000))


def test_ten_thousand_timers_cost_one_task(any_world: sync.World) -> None:
    timers = [any_world.timers.call_at(any_world.now_ns() + 10**12, lambda: None) for _ in range(10_000)]
    assert any_world.tasks_started == 1
    assert all(timer.cancel() for timer in timers)


def test_arming_and_cancelling_for_ever_does_not_grow_the_heap(any_world: sync.World) -> None:
    """Behind a timer that stays, the timer task sleeps all the time: it is not the one to sweep."""
    timers = any_world.timers
    first = timers.call_at(any_world.now_ns() + 10**12, lambda: None)
    for _ in range(20 * timers_module.SWEEP_FLOOR):
        assert timers.call_at(any_world.now_ns() + 10**13, lambda: None).cancel()
    assert len(timers._heap) <= timers_module.SWEEP_FLOOR + 1  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
    assert first.cancel()
