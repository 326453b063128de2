"""How waiting ends in the virtual world when nothing more comes: deadlocks, interrupts, failures, and its close."""

from __future__ import annotations

import gc
import weakref

import pytest

from fencepost import sync
from fencepost.errors import Deadlock
from fencepost.sync import virtual as virtual_module
from fencepost.sync.virtual import VirtualWorld

YEAR_S = 365 * 24 * 3600


# Deadlocks.


def test_a_deadlock_names_who_waits_for_what(virtual: VirtualWorld) -> None:
    one, other = virtual.lock(), virtual.lock()

    def take(first: sync.Lock, second: sync.Lock) -> None:
        with first:
            virtual.sleep(0.5)
            with second:
                pass

    virtual.spawn(lambda: take(one, other), name="left")
    virtual.spawn(lambda: take(other, one), name="right")
    virtual.spawn(virtual.mailbox("orders").get, name="idler", service=True)
    gate = sync.Gate("the end")
    with pytest.raises(Deadlock) as caught:
        gate.wait()
    assert str(caught.value).splitlines() == [
        "nothing can run any more at 0.500000 s; 1 services are idle",
        "  main waits for <the end, shut>",
        "  left waits for <lock held by right>",
        "  right waits for <lock held by left>",
    ]


def test_taking_a_lock_twice_is_a_deadlock(virtual: VirtualWorld) -> None:
    lock = virtual.lock()
    with lock, pytest.raises(Deadlock, match="main waits for <lock held by main>"):
        lock.acquire()


def test_the_main_task_may_go_on_after_a_deadlock(virtual: VirtualWorld) -> None:
    gate = sync.Gate("the end")
    for _ in range(2):
        with pytest.raises(Deadlock):
            gate.wait()
    virtual.spawn(gate.open, name="opener")
    assert gate.wait()


def test_a_time_out_is_no_deadlock(virtual: VirtualWorld) -> None:
    assert not sync.Gate().wait(YEAR_S)
    assert virtual.now_ns() == YEAR_S * sync.NS_PER_S


def test_a_lock_goes_to_the_next_when_the_first_in_line_was_called_away(virtual: VirtualWorld) -> None:
    """The main task leaves its place by a Deadlock; the place it had must not swallow the wake of another."""
    lock, held, gate = virtual.lock(), sync.Gate(), sync.Gate("the release")

    def hold() -> None:
        with lock:
            held.open()
            gate.wait()

    virtual.spawn(hold, name="holder")
    held.wait()
    with pytest.raises(Deadlock):
        lock.acquire()
    waiting = virtual.spawn(lock.acquire, name="second")
    virtual.pass_turn()
    gate.open()
    assert waiting.join(1)


def test_a_wake_that_meets_an_interrupt_goes_to_the_next_in_line(virtual: VirtualWorld) -> None:
    mailbox: sync.Mailbox[str] = virtual.mailbox()

    def bother() -> None:
        mailbox.put("letter")
        virtual.interrupt(KeyboardInterrupt())

    second = virtual.spawn(mailbox.get, name="second")
    virtual.spawn(bother, name="bother")
    with pytest.raises(KeyboardInterrupt):
        mailbox.get()
    assert second.join(1)
    assert second.result == "letter"


# Interrupts and failures.


def test_an_interrupt_surfaces_in_the_main_task(virtual: VirtualWorld) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    task = virtual.spawn(interrupted, name="interrupted")
    with pytest.raises(KeyboardInterrupt):
        virtual.sleep(1)
    assert task.done
    assert isinstance(task.error, KeyboardInterrupt)
    assert virtual.failures == []
    assert virtual.now_ns() == 0


def test_an_interrupt_of_an_awake_main_task_comes_at_its_next_wait(virtual: VirtualWorld) -> None:
    virtual.interrupt(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        virtual.sleep(1)


def test_an_interrupt_while_closing_comes_after_everything_was_unwound() -> None:
    world = VirtualWorld()
    outer = sync.current()
    world.enter()
    unwound: list[str] = []

    def stubborn() -> None:
        try:
            sync.Gate().wait()
        finally:
            unwound.append("stubborn")
            raise KeyboardInterrupt

    world.spawn(stubborn, name="stubborn")
    with pytest.raises(KeyboardInterrupt):
        world.close()
    assert unwound == ["stubborn"]
    assert sync.current() is outer


def test_a_service_that_dies_is_heard_of_at_once(virtual: VirtualWorld) -> None:
    def die() -> None:
        raise ZeroDivisionError

    virtual.spawn(die, name="worker", service=True)
    with pytest.raises(ZeroDivisionError):
        sync.Gate().wait()


class InterruptedOrder:
    """Chooses, and once, when it is armed, a signal comes before the main task has its turn."""

    def __init__(self) -> None:
        self.armed = False
        self._tasks: list[sync.Task] = []

    def add(self, task: sync.Task, /) -> None:
        self._tasks.append(task)

    def take(self) -> sync.Task:
        chosen = self._tasks.pop(0)
        if self.armed and chosen.name == "main":
            self.armed = False
            raise KeyboardInterrupt
        return chosen

    def __bool__(self) -> bool:
        return bool(self._tasks)


def test_an_interruption_between_the_choice_of_the_main_task_and_its_turn_ends_the_world() -> None:
    order = InterruptedOrder()
    world = VirtualWorld(order)
    world.enter()
    try:
        gate = sync.Gate()

        def open_and_go_on() -> None:
            gate.open()
            order.armed = True
            world.sleep(1)

        world.spawn(open_and_go_on, name="client")
        with pytest.raises(KeyboardInterrupt):
            gate.wait()
    finally:
        world.close()


# Closing.


def test_stuck_tasks_are_reported_and_unwound() -> None:
    world = VirtualWorld()
    world.enter()
    unwound: list[str] = []

    def stuck(name: str) -> None:
        try:
            sync.Gate(name).wait()
        finally:
            unwound.append(name)

    tasks = [world.spawn(lambda name=name: stuck(name), name=name) for name in ("one", "two")]  # type: ignore[misc]
    assert [task.name for task in world.close()] == ["one", "two"]
    assert unwound == ["one", "two"]
    assert all(task.done and task.error is None for task in tasks)
    assert world.failures == []


def test_a_task_cannot_go_on_waiting_while_the_world_closes() -> None:
    world = VirtualWorld()
    world.enter()

    def stubborn() -> None:
        try:
            sync.Gate().wait()
        finally:
            world.sleep(1)

    task = world.spawn(stubborn, name="stubborn")
    assert world.close() == [task]
    assert task.done


def test_what_can_run_comes_to_its_end_before_the_close() -> None:
    world = VirtualWorld()
    world.enter()
    mailbox = world.mailbox()
    task = world.spawn(lambda: [mailbox.get() for _ in range(3)], name="reader")
    for letter in "abc":
        mailbox.put(letter)
    assert world.close() == []
    assert task.result == ["a", "b", "c"]


def test_tasks_that_go_on_for_ever_are_reported_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_module, "TURNS_AT_CLOSE", 100)
    world = VirtualWorld()
    world.enter()

    def forever() -> None:
        while True:
            world.pass_turn()

    task = world.spawn(forever, name="forever")
    assert world.close() == [task]
    assert task.done


def test_a_closed_world_leaves_nothing_behind() -> None:
    world = VirtualWorld()
    world.enter()
    world.timers.call_at(10, lambda: None)
    world.spawn(sync.Gate().wait, name="stuck")
    world.sleep(1)
    world.close()
    gone = weakref.ref(world)
    del world
    gc.collect()
    assert gone() is None
