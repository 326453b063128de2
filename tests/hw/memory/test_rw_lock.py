from __future__ import annotations

import pytest

from fencepost import Runtime
from fencepost.actors import Runtime as AnyRuntime
from fencepost.checks.lock_order import LockOrderCycle
from fencepost.checks.observers import Observers
from fencepost.checks.waits import Wait
from fencepost.errors import Deadlock, WrongContext, WrongState
from fencepost.fences import Fence
from fencepost.hw.memory import MmapLock, RwLock
from fencepost.sync import Gate, Task, current
from fencepost.sync.observed import ObservedWorld
from fencepost.sync.observed_virtual import ObservedVirtualWorld
from tests.searching import assert_clean


def until_waiting(*tasks: Task) -> None:
    while any(task.waiting_on is None for task in tasks):
        current().sleep(1e-4)


def test_many_read_and_one_writes(rt: Runtime) -> None:
    lock, go, done = RwLock("table"), Gate("go"), list[str]()

    def read() -> None:
        with lock.read():
            go.wait()
            done.append("read")

    def write() -> None:
        with lock.write():
            done.append("written")

    readers = [rt.spawn(read, f"reader{number}") for number in range(3)]
    until_waiting(*readers)
    assert {task.name for task in lock.holders} == {"reader0", "reader1", "reader2"}
    writer = rt.spawn(write, "writer")
    until_waiting(writer)
    go.open()
    writer.join()
    assert done == ["read", "read", "read", "written"]
    assert lock.holders == ()


def test_who_comes_behind_a_writer_waits_behind_it(rt: Runtime) -> None:
    """Or readers could keep a writer away for ever."""
    lock, go, done = RwLock(), Gate("go"), list[str]()

    def hold() -> None:
        with lock.read():
            go.wait()

    def write() -> None:
        with lock.write():
            done.append("written")

    def read() -> None:
        with lock.read():
            done.append("read")

    until_waiting(rt.spawn(hold))
    writer = rt.spawn(write)
    until_waiting(writer)
    reader = rt.spawn(read)
    until_waiting(reader)
    go.open()
    writer.join()
    reader.join()
    assert done == ["written", "read"]


def test_who_holds_it_cannot_take_it_again(rt: Runtime) -> None:  # noqa: ARG001 - in a world
    lock = MmapLock("process")
    with lock.read():
        lock.check_held()
        with pytest.raises(WrongState, match=r"<MmapLock process, held by .*> is locked again by"), lock.read():
            pass
        with pytest.raises(WrongState), lock.write():
            pass
    with pytest.raises(WrongState, match="does not hold <MmapLock process, free>"):
        lock.check_held()
    with lock.write():
        pass


def test_it_is_not_for_callbacks(rt: Runtime) -> None:  # noqa: ARG001 - in a world
    lock, fence = RwLock(), Fence()

    def callback(_fence: Fence) -> None:
        with pytest.raises(WrongContext), lock.read():
            pass

    fence.add_callback(callback)
    fence.signal()


def test_readers_and_writers_exclude_each_other_whoever_goes_on() -> None:
    def model(runtime: AnyRuntime) -> None:
        lock = RwLock()
        inside: list[str] = []

        def read() -> None:
            with lock.read():
                inside.append("reader")
                current().lock().acquire()
                assert "writer" not in inside
                inside.remove("reader")

        def write() -> None:
            with lock.write():
                assert not inside
                inside.append("writer")
                current().lock().acquire()
                inside.remove("writer")

        for function in (read, write, read, write):
            runtime.spawn(function)

    assert_clean(model, schedules=500)


def test_observers_see_it_held_and_who_is_waited_for() -> None:
    observers = Observers()
    world = ObservedWorld(observers)
    with Runtime(world) as runtime:
        lock, go = MmapLock("process"), Gate("go")

        def hold() -> None:
            with lock.write():
                go.wait()

        def wait() -> None:
            with lock.read():
                pass

        until_waiting(runtime.spawn(hold, "holder"))
        until_waiting(runtime.spawn(wait, "waiter"))
        waits = {wait.task: wait for wait in observers.waits()}
        assert waits["holder"] == Wait("holder", "<go, shut>", "", ("MmapLock",))
        assert waits["waiter"] == Wait("waiter", "<MmapLock process, held by holder>", "holder", ())
        go.open()
    assert observers.findings == ()


def test_observers_learn_its_place_in_the_order() -> None:
    observers = Observers()
    with Runtime(ObservedVirtualWorld(observers)) as runtime:
        lock, other = MmapLock(), current().lock()

        def forth() -> None:
            with lock.read(), other:
                pass

        def back() -> None:
            with other, lock.write():
                pass

        runtime.spawn(forth).join()
        runtime.spawn(back).join()
    (found,) = observers.findings
    assert isinstance(found, LockOrderCycle)


def test_two_that_want_each_others_are_told_in_the_virtual_world() -> None:
    with pytest.raises(Deadlock, match="waits for <RwLock b, held by one>"), Runtime(world="virtual") as runtime:  # noqa: PT012 - at the end
        one, other = RwLock("a"), RwLock("b")

        def take(first: RwLock, second: RwLock) -> None:
            with first.write():
                current().sleep(1)
                with second.write():
                    pass

        tasks = [runtime.spawn(lambda: take(other, one), "one"), runtime.spawn(lambda: take(one, other), "two")]
        for task in tasks:
            task.join()
