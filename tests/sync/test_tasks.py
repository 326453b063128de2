"""Tasks of a world: spawn, join, failures, and what a world remembers of them."""

from __future__ import annotations

import threading

import pytest

from fencepost import sync
from fencepost.errors import WrongContext, WrongWorld
from fencepost.sync.world import PRUNE_FLOOR

LONG_S = 20.0


def test_a_task_hands_its_result_to_who_joins_it(any_world: sync.World) -> None:
    task = any_world.spawn(lambda: 42, name="answerer")
    assert task.join(LONG_S)
    assert task.done
    assert task.result == 42
    assert task.error is None
    assert any_world.tasks_started == 1


def test_joining_a_task_that_is_done_returns_at_once(any_world: sync.World) -> None:
    task = any_world.spawn(lambda: None, name="task")
    assert task.join()
    assert task.join(0)


def test_joining_ends_with_the_time_out(any_world: sync.World) -> None:
    gate = sync.Gate()
    task = any_world.spawn(gate.wait, name="sleeper")
    assert not task.join(0.002)
    assert not task.join(0)
    assert not task.done
    gate.open()
    assert task.join(LONG_S)


def test_a_task_may_be_joined_by_many(any_world: sync.World) -> None:
    gate = sync.Gate()
    task = any_world.spawn(gate.wait, name="sleeper")
    joiners = [any_world.spawn(lambda: task.join(LONG_S), name=f"joiner{index}") for index in range(4)]
    gate.open()
    assert all(joiner.join(LONG_S) and joiner.result for joiner in joiners)


def test_who_may_not_block_may_not_join(any_world: sync.World) -> None:
    gate = sync.Gate()
    task = any_world.spawn(gate.wait, name="sleeper")
    me = any_world.task()
    me.no_block = "it is being tested"
    with pytest.raises(WrongContext, match="may not wait for <task sleeper>: it is being tested"):
        task.join()
    me.no_block = None
    gate.open()


def test_an_exception_of_a_task_is_kept_and_the_others_go_on(any_world: sync.World) -> None:
    def fail() -> None:
        raise LookupError("lost")

    task = any_world.spawn(fail, name="failing")
    other = any_world.spawn(lambda: "fine", name="other")
    assert task.join(LONG_S)
    assert other.join(LONG_S)
    assert isinstance(task.error, LookupError)
    assert any_world.failures == [task.error]
    assert other.result == "fine"


def test_a_task_knows_itself_and_its_world(any_world: sync.World) -> None:
    task = any_world.spawn(lambda: (any_world.task(), sync.current()), name="thinker")
    task.join(LONG_S)
    assert task.result == (task, any_world)
    assert any_world.task() is not task


def test_tasks_may_spawn_tasks_and_closing_waits_for_all() -> None:
    for name in ("native", "virtual"):
        world = sync.world(name)
        world.enter()
        ended: list[int] = []

        def spawn(depth: int, world: sync.World = world, ended: list[int] = ended) -> None:
            if depth:
                world.spawn(lambda: spawn(depth - 1), name=f"depth{depth}")
            ended.append(depth)

        world.spawn(lambda: spawn(5), name="root")
        assert world.close() == []
        assert sorted(ended) == list(range(6))
        assert world.tasks_started == 6


def test_a_world_forgets_tasks_that_are_done(any_world: sync.World) -> None:
    for _ in range(20 * PRUNE_FLOOR):
        any_world.spawn(lambda: None, name="short").join(LONG_S)
    assert len(any_world.tasks) <= PRUNE_FLOOR + 1
    assert any_world.tasks_started == 20 * PRUNE_FLOOR


def test_forgetting_keeps_those_that_are_not_done(any_world: sync.World) -> None:
    gate = sync.Gate()
    sleeper = any_world.spawn(gate.wait, name="sleeper")
    for _ in range(2 * PRUNE_FLOOR):
        any_world.spawn(lambda: None, name="short").join(LONG_S)
    assert sleeper in any_world.tasks
    gate.open()


def test_closing_twice_is_harmless(any_world: sync.World) -> None:
    outer = sync.world("native")
    outer.enter()
    inner = sync.world(any_world.name)
    inner.enter()
    assert inner.close() == []
    assert inner.close() == []
    assert sync.current() is outer
    assert outer.close() == []
    assert sync.current() is any_world


def test_worlds_nest_in_one_thread(any_world: sync.World) -> None:
    inner = sync.world("virtual")
    inner.enter()
    task = inner.spawn(lambda: inner.sleep(5), name="sleeper")
    assert task.join()
    assert inner.now_ns() == 5_000_000_000
    inner.close()
    assert sync.current() is any_world
    assert any_world.spawn(lambda: "outer", name="task").join(LONG_S)


def test_a_world_is_not_closed_from_inside_another(any_world: sync.World) -> None:
    inner = sync.world("virtual")
    inner.enter()
    with pytest.raises(WrongWorld, match=f"the {any_world.name} world is closed from inside the virtual one"):
        any_world.close()
    assert sync.current() is inner
    inner.close()


def test_every_thread_has_a_world_of_its_own(any_world: sync.World) -> None:
    seen: list[sync.World] = []
    thread = threading.Thread(target=lambda: seen.append(sync.current()))
    thread.start()
    thread.join()
    assert seen[0] is not any_world
    assert seen[0].name == "native"


def test_an_unknown_world_is_refused() -> None:
    with pytest.raises(ValueError, match="a world called 'real', expected native or virtual"):
        sync.world("real")
