"""What only the native world has: real threads."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, NoReturn, SupportsIndex, cast

import pytest

from fencepost import sync
from fencepost.sync import native as native_module

LONG_S = 20.0


def test_a_task_that_does_not_end_is_reported_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    world = sync.world("native")
    world.enter()
    gate = sync.Gate()
    world.spawn(lambda: None, name="quick").join(LONG_S)
    world.spawn(gate.wait, name="stuck")
    with monkeypatch.context() as patch:
        patch.setattr(native_module, "JOIN_LIMIT_S", 0.01)
        assert [task.name for task in world.close()] == ["stuck"]
    gate.open()
    assert world.close() == []


def test_a_thread_that_the_system_refuses_is_not_waited_for(
    native: sync.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            native.spawn(lambda: None, name="refused")
        with pytest.raises(RuntimeError, match="can't start"):
            native.timers.call_at(native.now_ns(), lambda: None)
    assert native.tasks == []
    gate = sync.Gate()
    native.timers.call_at(native.now_ns(), gate.open)
    assert gate.wait(LONG_S)


def test_a_service_that_dies_says_so_at_once(native: sync.World, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", said.append)

    def fail() -> None:
        raise LookupError("lost")

    native.spawn(fail, name="client").join(LONG_S)
    assert said == []
    native.spawn(fail, name="actor", service=True).join(LONG_S)
    assert [args.exc_type for args in said] == [LookupError]


def test_a_thread_of_the_embedding_program_is_a_task_that_cannot_be_joined(native: sync.World) -> None:
    task = native.task()
    assert task.name == threading.current_thread().name
    assert task is native.task()
    assert not task.done
    assert not task.join()


def test_a_task_cannot_join_itself(native: sync.World) -> None:
    task = native.spawn(lambda: native.task().join(), name="lonely")
    assert task.join(LONG_S)
    assert task.result is False


def test_threads_may_spawn_at_once(native: sync.World) -> None:
    start = sync.Gate()

    def spawn() -> None:
        start.wait(LONG_S)
        for _ in range(50):
            native.spawn(lambda: None, name="child")

    parents = [native.spawn(spawn, name=f"parent{index}") for index in range(4)]
    start.open()
    assert all(parent.join(LONG_S) for parent in parents)
    assert native.tasks_started == 4 + 200


def test_a_gate_never_loses_a_sleeper_whose_time_is_nearly_up(native: sync.World) -> None:
    for _ in range(40):
        gate = sync.Gate()
        patient = [native.spawn(lambda g=gate: g.wait(LONG_S), name="patient") for _ in range(2)]  # type: ignore[misc]
        hasty = native.spawn(lambda g=gate: g.wait(0.0001), name="hasty")  # type: ignore[misc]
        gate.open()
        assert all(task.join(LONG_S) and task.result for task in patient)
        assert hasty.join(LONG_S)
    assert native.failures == []


def test_a_timer_fires_or_is_cancelled_and_never_both(native: sync.World) -> None:
    fired: list[int] = []
    for number in range(300):
        when_ns = native.now_ns() + number * 500
        timer = native.timers.call_at(when_ns, lambda number=number: fired.append(number))  # type: ignore[misc]
        native.sleep_until(when_ns)
        if timer.cancel():
            assert number not in fired
            fired.append(number)
    gate = sync.Gate()
    native.timers.call_at(native.now_ns(), gate.open)
    assert gate.wait(LONG_S)
    assert sorted(fired) == list(range(300))


def test_closing_waits_for_every_task() -> None:
    world = sync.world("native")
    world.enter()
    tasks = [world.spawn(lambda: world.sleep(0.01), name=f"sleeper{index}") for index in range(3)]
    assert world.close() == []
    assert all(task.done for task in tasks)


class Guarded(list[sync.Task]):
    """A list that keeps whether its lock was held each time somebody changed it."""

    def __init__(self, lock: sync.Lock) -> None:
        super().__init__()
        self.lock = lock
        self.held: list[bool] = []

    def append(self, task: sync.Task, /) -> None:
        self.held.append(self.lock.locked())
        super().append(task)

    def extend(self, tasks: Iterable[sync.Task], /) -> None:
        self.held.append(self.lock.locked())
        super().extend(tasks)

    def pop(self, index: SupportsIndex = -1, /) -> sync.Task:
        self.held.append(self.lock.locked())
        return super().pop(index)


def test_the_list_of_tasks_changes_under_its_lock() -> None:
    """By stress this shows only where threads run at the same time."""
    world = sync.world("native")
    world.enter()
    world.tasks = tasks = Guarded(world._adoption)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
    for index in range(2):
        world.spawn(lambda: None, name=f"child{index}")
    assert world.close() == []
    assert tasks.held == [True] * 5


def test_a_sleep_that_ends_too_early_is_slept_on() -> None:
    """The system may round a time-out down, and the longest it knows is shorter than ours."""

    class Early:
        """A lock whose first time-out comes at once."""

        left = 1

        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002 - as Lock
            self.left -= 1
            return blocking and timeout > 0 and self.left < 0

    waiter = native_module.NativeWaiter()
    waiter._gate = cast("Any", Early())  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
    assert waiter.wait(sync.now_ns() + 10**12, "the clock")
