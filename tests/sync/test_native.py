"""What only the native world has: real threads."""

from __future__ import annotations

import threading
from typing import NoReturn

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
