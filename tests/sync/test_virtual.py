"""What only the virtual world has: its own clock, one fixed order, and an end to every deadlock."""

from __future__ import annotations

import gc
import random
import threading
import weakref
from collections.abc import Callable
from functools import partial

import pytest

from fencepost import sync
from fencepost.errors import Deadlock, WrongWorld
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


# Other worlds, other threads.


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


def test_a_wake_from_another_thread_is_refused_whether_or_not_somebody_sleeps(virtual: VirtualWorld) -> None:
    waiter = virtual.waiter()
    refused: list[WrongWorld] = []

    def wake() -> None:
        with pytest.raises(WrongWorld) as caught:
            waiter.wake()
        refused.append(caught.value)

    def wake_from_a_thread() -> None:
        thread = threading.Thread(target=wake)
        thread.start()
        thread.join()

    wake_from_a_thread()
    virtual.spawn(wake_from_a_thread, name="bridge")
    assert not waiter.wait(10, "the other thread")
    assert len(refused) == 2


def test_a_refused_letter_was_not_put(virtual: VirtualWorld) -> None:
    mailbox: sync.Mailbox[str] = virtual.mailbox()
    task = virtual.spawn(mailbox.get, name="receiver")
    virtual.pass_turn()
    inner = VirtualWorld()
    inner.enter()
    with pytest.raises(WrongWorld):
        mailbox.put("from inside")
    inner.close()
    mailbox.put("from home")
    assert task.join(1)
    assert task.result == "from home"


def test_a_world_is_not_waited_for_from_inside_another(virtual: VirtualWorld) -> None:
    mailbox = virtual.mailbox("outer mail")
    task = virtual.spawn(sync.Gate().wait, name="outer task", service=True)
    lock = virtual.lock()
    lock.acquire()
    inner = VirtualWorld()
    inner.enter()
    for wait in (mailbox.get, task.join, lock.acquire, lambda: virtual.sleep(1)):
        with pytest.raises(WrongWorld, match="is of a virtual world and is waited for outside of it"):
            wait()
    inner.close()


def test_a_task_is_not_spawned_from_outside(virtual: VirtualWorld) -> None:
    inner = VirtualWorld()
    inner.enter()
    with pytest.raises(WrongWorld, match="intruder is spawned from outside of its virtual world"):
        virtual.spawn(lambda: None, name="intruder")
    inner.close()
    with pytest.raises(WrongWorld):
        VirtualWorld().spawn(lambda: None, name="early")


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
