"""What only the virtual world has: its own clock, and one fixed order."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from functools import partial

import pytest

from fencepost import sync
from fencepost.sync import virtual as virtual_module
from fencepost.sync.virtual import VirtualWorld

YEAR_S = 365 * 24 * 3600


class RandomOrder:
    """Any of those that can run."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._tasks: list[sync.Task] = []

    def add(self, task: sync.Task, /) -> None:
        assert task not in self._tasks
        self._tasks.append(task)

    def take(self) -> sync.Task:
        return self._tasks.pop(self._random.randrange(len(self._tasks)))

    def __bool__(self) -> bool:
        return bool(self._tasks)


def in_world(function: Callable[[VirtualWorld], object], order: sync.Order | None = None) -> VirtualWorld:
    world = VirtualWorld(order)
    world.enter()
    try:
        function(world)
    finally:
        assert world.close() == []
    return world


# The clock.


def test_the_clock_begins_at_zero_and_jumps(virtual: VirtualWorld) -> None:
    assert virtual.now_ns() == 0
    virtual.sleep(YEAR_S)
    assert virtual.now_ns() == YEAR_S * sync.NS_PER_S


def test_computing_costs_no_time(virtual: VirtualWorld) -> None:
    sum(range(10_000))
    virtual.spawn(lambda: None, name="task").join()
    assert virtual.now_ns() == 0


def test_sleepers_wake_at_their_own_time_in_order(virtual: VirtualWorld) -> None:
    woken: list[tuple[int, int]] = []
    for seconds in (3, 1, 2):

        def sleep(seconds: int = seconds) -> None:
            virtual.sleep(seconds)
            woken.append((seconds, virtual.now_ns()))

        virtual.spawn(sleep, name=f"sleeper{seconds}")
    virtual.sleep(4)
    assert woken == [(1, 10**9), (2, 2 * 10**9), (3, 3 * 10**9)]


def test_a_sleep_of_no_time_gives_nobody_a_turn(virtual: VirtualWorld) -> None:
    task = virtual.spawn(lambda: None, name="task")
    virtual.sleep(0)
    assert not task.done
    virtual.pass_turn()
    assert task.done


def test_waiting_again_and_again_with_a_far_time_out_does_not_grow_the_world(virtual: VirtualWorld) -> None:
    mailbox: sync.Mailbox[sync.Waiter] = virtual.mailbox()

    def wake() -> None:
        for _ in range(5000):
            mailbox.get().wake()

    virtual.spawn(wake, name="waker")
    for _ in range(5000):
        waiter = virtual.waiter()
        mailbox.put(waiter)
        assert waiter.wait(10**15, "the waker")
    assert len(virtual._sleeping) <= virtual_module.SWEEP_FLOOR + 1  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
    assert virtual.now_ns() == 0


# The order.


def turbulence(world: VirtualWorld) -> list[tuple[int, str]]:
    """Run tasks that lock, post, sleep and time out; return what happened when."""
    happened: list[tuple[int, str]] = []
    lock, mailbox, gate = world.lock(), world.mailbox(), sync.Gate()

    def work(name: str) -> None:
        for turn in range(5):
            with lock:
                world.sleep(0.001)
            mailbox.put(f"{name}.{turn}")
            happened.append((world.now_ns(), f"{name} waited: {gate.wait(0.0005)}"))

    tasks = [world.spawn(lambda name=name: work(name), name=name) for name in "abcd"]  # type: ignore[misc]
    world.timers.call_at(13_000_000, gate.open)
    happened += [(world.now_ns(), mailbox.get()) for _ in range(20)]
    for task in tasks:
        task.join()
    return happened


def test_two_runs_do_the_same_in_the_same_order() -> None:
    runs: list[list[tuple[int, str]]] = []
    for _ in range(3):
        in_world(lambda world: runs.append(turbulence(world)))
    assert runs[0] == runs[1] == runs[2]
    assert len(runs[0]) == 40


def test_who_could_run_first_runs_first(virtual: VirtualWorld) -> None:
    ran: list[int] = []
    for number in range(5):
        virtual.spawn(lambda number=number: ran.append(number), name=f"task{number}")  # type: ignore[misc]
    virtual.pass_turn()
    assert ran == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("seed", range(20))
def test_any_other_order_is_right_too(seed: int) -> None:
    def run(world: VirtualWorld) -> None:
        happened = turbulence(world)
        assert sorted(text for _, text in happened if "." in text) == sorted(
            f"{n}.{t}" for n in "abcd" for t in range(5)
        )
        assert world.now_ns() >= 20_000_000

    in_world(run, RandomOrder(seed))


def test_a_seeded_order_repeats_itself_and_differs_from_another() -> None:
    runs: list[list[tuple[int, str]]] = []
    for seed in (1, 1, 2):
        in_world(lambda world: runs.append(turbulence(world)), RandomOrder(seed))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_two_virtual_worlds_in_two_threads_do_not_meet() -> None:
    runs: list[list[tuple[int, str]]] = []

    def note(world: VirtualWorld) -> None:
        runs.append(turbulence(world))

    threads = [threading.Thread(target=in_world, args=[note]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == 2
    assert runs[0] == runs[1]


# Tasks and their things.


def test_objects_say_what_they_are(virtual: VirtualWorld) -> None:
    lock, mailbox = virtual.lock(), virtual.mailbox("orders")
    mailbox.put(1)
    assert repr(mailbox) == "<orders: 1 waiting>"
    assert repr(lock) == "<lock, free>"
    with lock:
        assert repr(lock) == "<lock held by main>"
    assert repr(virtual.task()) == "<task main>"


def test_tasks_do_not_inherit_the_stack_of_who_lets_them_run(virtual: VirtualWorld) -> None:
    """Each task lets the next one run; as deep as that chain is, all have the whole stack for themselves."""
    gates = [sync.Gate() for _ in range(200)]

    def depth_left() -> int:
        try:
            return 1 + depth_left()
        except RecursionError:
            return 0

    def body(number: int) -> int:
        for _ in range(3):
            virtual.spawn(gates[number].open, name="opener")
            gates[number].wait()
        return depth_left()

    tasks = [virtual.spawn(partial(body, number), name=f"task{number}") for number in range(200)]
    for task in tasks:
        task.join()
    assert max(task.result for task in tasks) - min(task.result for task in tasks) < 50


def test_a_lock_may_be_waited_for_where_blocking_is_not_allowed(virtual: VirtualWorld) -> None:
    """The holder is made to wait while it holds the lock, so that the timer function finds it taken."""
    lock, gate = virtual.lock(), sync.Gate()
    seen: list[str] = []

    def hold() -> None:
        with lock:
            gate.wait()
            seen.append("given back")

    def in_irq() -> None:
        with lock:
            seen.append("taken")

    holder = virtual.spawn(hold, name="holder")
    virtual.timers.call_at(10, in_irq)
    virtual.sleep_until(20)
    gate.open()
    holder.join()
    virtual.sleep_until(30)
    assert seen == ["given back", "taken"]
