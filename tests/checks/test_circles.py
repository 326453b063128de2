"""Circles through fences, locks and tasks; those through jobs and engines are in tests/hw/memory/test_deadlocks.py."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from fencepost.checks.circles import find_circle, in_words
from fencepost.checks.observers import Observers
from fencepost.checks.waits import Stall, Watchdog
from fencepost.fences import Fence, promise
from fencepost.hw.memory import MmapLock
from fencepost.sync import Gate, Task, current
from fencepost.sync.observed import ObservedWorld
from tests.checks.watching import Watched, watched_world


def until_waiting(*tasks: Task) -> None:
    while any(task.waiting_on is None for task in tasks):
        current().sleep(1e-4)


def circle_of(watched: Watched) -> str:
    circle = find_circle(watched.observers.watches())
    return "" if circle is None else in_words(circle)


def test_a_fence_needs_who_promised_it() -> None:
    with watched_world() as watched:
        first, second = Fence(name="first"), Fence(name="second")
        promise(first, by="one")
        promise(second, by="two")
        tasks = [
            watched.world.spawn(second.wait, name="one"),
            watched.world.spawn(first.wait, name="two"),
        ]
        until_waiting(*tasks)
        assert circle_of(watched) == "fence second:0 => two => fence first:0 => one => fence second:0"
        first.signal()
        tasks[1].join()
        assert circle_of(watched) == ""
        second.signal()


def test_a_fence_needs_what_it_comes_after() -> None:
    with watched_world() as watched:
        before, after = Fence(name="before"), Fence(name="after")
        promise(before, by="worker")
        promise(after, after=[before])
        task = watched.world.spawn(after.wait, name="worker")
        until_waiting(task)
        assert circle_of(watched) == "fence after:0 => fence before:0 => worker => fence after:0"
        before.signal()
        after.signal()


def test_a_lock_needs_all_who_hold_it() -> None:
    """Two read, of whom one waits for the fence of the one who wants to write."""
    with watched_world() as watched:
        lock, fence, go = MmapLock("process"), Fence(name="F"), Gate("go")
        promise(fence, by="writer")

        def read_and_wait(what: Fence | Gate) -> None:
            with lock.read():
                what.wait()

        def write() -> None:
            with lock.write():
                pass

        readers = [
            watched.world.spawn(lambda: read_and_wait(go), name="harmless"),
            watched.world.spawn(lambda: read_and_wait(fence), name="reader"),
        ]
        until_waiting(*readers)
        until_waiting(watched.world.spawn(write, name="writer"))
        assert circle_of(watched) == "fence F:0 => writer => MmapLock process => reader => fence F:0"
        go.open()
        fence.signal()


def test_who_waits_with_a_time_out_ends_a_circle_by_itself() -> None:
    with watched_world() as watched:
        fence = Fence(name="F")
        promise(fence, by="worker")
        task = watched.world.spawn(lambda: fence.wait(60.0), name="worker")
        until_waiting(task)
        assert circle_of(watched) == ""
        fence.signal()


def test_nor_is_one_without_a_time_out_stuck_behind_it() -> None:
    with watched_world() as watched:
        first, second = Fence(name="first"), Fence(name="second")
        promise(first, by="impatient")
        promise(second, by="patient")
        tasks = [
            watched.world.spawn(first.wait, name="patient"),
            watched.world.spawn(lambda: second.wait(60.0), name="impatient"),
        ]
        until_waiting(*tasks)
        assert circle_of(watched) == ""
        second.signal()
        first.signal()


def test_who_looks_does_not_keep_itself_from_seeing_that_nothing_moves() -> None:
    """It learns of a fence that has signalled, and so the observers learn of it."""
    observers = Observers(stall_limit_s=0.05)
    world = ObservedWorld(observers)
    world.enter()
    stalled, fence, done = Gate("the report"), Fence(name="F"), Fence(name="done")
    observers.on_stall = lambda _stall: stalled.open()
    promise(fence, after=[done])
    assert world.spawn(done.signal, name="worker").join()
    task = world.spawn(fence.wait, name="client")
    assert stalled.wait()
    fence.signal()
    assert task.join()
    assert world.close() == []


def test_what_nobody_told_of_is_no_circle() -> None:
    with watched_world() as watched:
        fence, gate = Fence(name="F"), Gate("go")
        promise(fence, by="worker")
        tasks = [watched.world.spawn(gate.wait, name="worker"), watched.world.spawn(fence.wait, name="client")]
        until_waiting(*tasks)
        assert circle_of(watched) == ""
        gate.open()
        fence.signal()


@contextmanager
def worker_in_a_circle(watched: Watched, name: str) -> Generator[None]:
    fence = Fence(name=f"of {name}")
    promise(fence, by=name)
    until_waiting(watched.world.spawn(fence.wait, name=name))
    yield
    fence.signal()


def test_the_watchdog_tells_a_circle_that_is_there_twice_whatever_else_moves() -> None:
    told: list[Stall] = []
    with watched_world() as watched, worker_in_a_circle(watched, "worker"):
        watchdog = Watchdog(watched.observers.watches, 1.0, told.append)
        for expected in (0, 1, 1, 1):
            watchdog.look(watched.world)
            current().lock().acquire()
            assert len(told) == expected
    (stall,) = told
    assert stall.circle == "fence of worker:0 => worker => fence of worker:0"
    assert str(stall).splitlines() == [
        f"these wait for each other: {stall.circle}",
        "  worker waits for <Fence of worker:0 pending>",
    ]


def test_the_watchdog_tells_each_circle_once() -> None:
    told: list[Stall] = []
    with watched_world() as watched:
        watchdog = Watchdog(watched.observers.watches, 1.0, told.append)
        for name in ("first", "second"):
            with worker_in_a_circle(watched, name):
                for _ in range(4):
                    watchdog.look(watched.world)
    assert [stall.circle.split(" ")[2] for stall in told] == ["first:0", "second:0"]
