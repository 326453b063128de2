"""One wound/wait lock: who gets it, who must give way, who is refused."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from fencepost import sync
from fencepost.errors import Deadlock, WrongContext, WrongState
from fencepost.fences import Fence
from fencepost.fences.interrupt import Interrupt
from fencepost.fences.ww_lock import AcquireContext, LockWait, WwLock
from tests.fences.kit import LONG_S
from tests.fences.refusal import refused


@pytest.fixture
def lock(any_world: sync.World) -> WwLock:  # noqa: ARG001 - it is made there
    return WwLock("a")


def refusal_of(world: sync.World, function: Callable[[], object]) -> str:
    """Run a function in another task; return how it is refused."""

    def run() -> str:
        with pytest.raises(WrongState) as caught:
            function()
        return str(caught.value)

    task = world.spawn(run, name="other")
    assert task.join(LONG_S)
    result: str = task.result
    return result


def until_waiting(world: sync.World, lock: WwLock, *tasks: sync.Task) -> None:
    """Let time pass until each of `tasks` waits for `lock`."""
    while not all(isinstance(on := task.waiting_on, LockWait) and on.lock is lock for task in tasks):
        world.waiter().wait(world.now_ns() + 100_000, "those who wait")


def spawn_waiting(world: sync.World, lock: WwLock, function: Callable[[], object]) -> sync.Task:
    """Start a task that waits for `lock`, which is held."""
    task = world.spawn(function, name=f"waiter {world.tasks_started}")
    until_waiting(world, lock, task)
    return task


# Alone.


def test_it_is_held_from_lock_to_unlock(lock: WwLock, any_world: sync.World) -> None:
    assert lock.holder is None
    lock.lock()
    assert lock.holder is any_world.task()
    assert repr(lock) == f"<WwLock a, held by {any_world.task().name}>"
    lock.unlock()
    assert lock.holder is None
    assert repr(lock) == "<WwLock a, free>"


def test_it_is_held_throughout_a_with(lock: WwLock, any_world: sync.World) -> None:
    with lock:
        assert lock.holder is any_world.task()
    assert lock.holder is None


def test_a_context_gives_back_what_it_holds_at_its_end(lock: WwLock) -> None:
    other = WwLock("b")
    with AcquireContext() as context:
        lock.lock(context)
        other.lock(context)
        lock.unlock()
        lock.lock(context)
        assert context.held == (other, lock)
    assert not context.held
    assert lock.holder is other.holder is None


def test_a_second_lock_in_the_same_context_is_refused(lock: WwLock) -> None:
    with AcquireContext() as context:
        lock.lock(context)
        with refused(errno.EALREADY, repr(context), "holds <WwLock a, "):
            lock.lock(context)
        assert not lock.trylock(context)
        assert context.held == (lock,)


def test_a_second_lock_that_would_never_come_is_refused(lock: WwLock) -> None:
    with AcquireContext() as context, lock:
        with pytest.raises(WrongState, match="locked again by who holds it"):
            lock.lock(context)
        with pytest.raises(WrongState, match="locked again by who holds it"):
            lock.lock()


def test_only_who_holds_it_gives_it_back(lock: WwLock, any_world: sync.World) -> None:
    with pytest.raises(WrongState, match="does not hold <WwLock a, free>"):
        lock.unlock()
    with lock:
        assert refusal_of(any_world, lock.unlock) == f"other does not hold {lock!r}: lock it first"


def test_a_context_is_for_the_task_that_made_it(lock: WwLock, any_world: sync.World) -> None:
    context = AcquireContext()
    assert refusal_of(any_world, lambda: lock.lock(context)) == f"other uses {context!r}"
    assert lock.holder is None


def test_it_is_tried_for_without_waiting(lock: WwLock, any_world: sync.World) -> None:
    with AcquireContext() as context:
        assert lock.trylock(context)
        assert context.held == (lock,)
        other = any_world.spawn(lock.trylock, name="other")
        assert other.join(LONG_S)
        assert other.result is False
    assert lock.trylock()
    lock.unlock()


def test_who_may_not_block_may_only_try(lock: WwLock) -> None:
    fence, said = Fence(), list[str]()

    def callback(_: Fence) -> None:
        try:
            lock.lock()
        except WrongContext as error:
            said.append(str(error))
        assert lock.trylock()
        lock.unlock()

    fence.add_callback(callback)
    fence.signal()
    assert len(said) == 1
    assert "may not wait for <WwLock a, free>: it runs the callbacks of a fence" in said[0]


# Against others. What is to come first is forced by waiting until it has come.


def test_who_waits_gets_it_when_it_is_given_back(lock: WwLock, any_world: sync.World) -> None:
    def take() -> bool:
        with lock:
            return lock.holder is current_task()

    with lock:
        waiters = [spawn_waiting(any_world, lock, take) for _ in range(3)]
    assert all(waiter.join(LONG_S) and waiter.result for waiter in waiters)


def current_task() -> sync.Task:
    return sync.current().task()


def test_the_oldest_gets_it_first_and_who_has_no_context_is_as_old_as_its_wait(
    lock: WwLock, any_world: sync.World
) -> None:
    got, contexts = list[str](), dict[str, AcquireContext]()
    begin = {name: sync.Gate(name) for name in ("old", "young")}
    made = {name: sync.Gate(name) for name in ("old", "young")}

    def undertake(name: str) -> None:
        with AcquireContext() as contexts[name]:
            made[name].open()
            begin[name].wait()
            lock.lock(contexts[name])
            got.append(name)

    def take() -> None:
        with lock:
            got.append("none")

    def undertaking(name: str) -> sync.Task:
        task = any_world.spawn(lambda: undertake(name), name=name)
        made[name].wait()
        return task

    old = undertaking("old")
    with lock:
        plain = spawn_waiting(any_world, lock, take)
        young = undertaking("young")
        for name, task in (("young", young), ("old", old)):
            begin[name].open()
            until_waiting(any_world, lock, task)
    assert all(task.join(LONG_S) for task in (old, plain, young))
    assert got == ["old", "none", "young"]


def test_a_younger_holder_is_told_to_back_off_by_its_next_lock(lock: WwLock, any_world: sync.World) -> None:
    free, old_context = WwLock("free"), list[AcquireContext]()
    begin, made = sync.Gate(), sync.Gate()

    def older() -> None:
        with AcquireContext() as context:
            old_context.append(context)
            made.open()
            begin.wait()
            lock.lock(context)

    task = any_world.spawn(older, name="older")
    made.wait()
    with AcquireContext() as young:
        lock.lock(young)
        begin.open()
        until_waiting(any_world, lock, task)
        assert young.wounded
        with refused(errno.EDEADLK, repr(young), "<WwLock free", "unlock all and begin with this"):
            free.lock(young)
        # Though it may take what is free.
        assert free.trylock(young)
        assert young.held == (lock, free)
        young.unlock_all()
        assert not young.wounded
        free.lock(young)
        lock.lock(young)
        assert young.stamp > old_context[0].stamp
    assert task.join(LONG_S)


def test_a_younger_holder_is_told_so_in_its_sleep(lock: WwLock, any_world: sync.World) -> None:
    """The classic two: each wants what the other holds."""
    other, made, told = WwLock("b"), sync.Gate(), list[int | None]()

    def younger() -> None:
        with AcquireContext() as context:
            other.lock(context)
            made.open()
            try:
                lock.lock(context)
            except OSError as error:
                told.append(error.errno)
                context.unlock_all()
                lock.lock(context)
            told.append(0)

    with AcquireContext() as old:
        lock.lock(old)
        task = any_world.spawn(younger, name="younger")
        made.wait()
        until_waiting(any_world, lock, task)
        other.lock(old)
        assert 0 not in told
        assert old.held == (lock, other)
    assert task.join(LONG_S)
    assert told == [errno.EDEADLK, 0]


def test_an_older_holder_is_left_alone(lock: WwLock, any_world: sync.World) -> None:
    def younger() -> None:
        with AcquireContext() as context:
            lock.lock(context)

    with AcquireContext() as old:
        lock.lock(old)
        task = spawn_waiting(any_world, lock, younger)
        assert not old.wounded
        WwLock("b").lock(old)
    assert task.join(LONG_S)


def test_who_has_no_context_wounds_nobody(lock: WwLock, any_world: sync.World) -> None:
    with AcquireContext() as context:
        lock.lock(context)

        def take() -> None:
            with lock:
                pass

        task = spawn_waiting(any_world, lock, take)
        assert not context.wounded
    assert task.join(LONG_S)


# Interrupted.


def test_an_interrupt_ends_the_wait(lock: WwLock, any_world: sync.World) -> None:
    interrupt = Interrupt("^C")

    def take() -> None:
        with refused(errno.EINTR, "<^C> ended the wait for <WwLock a, held by"):
            lock.lock(interrupt=interrupt)

    with lock:
        task = spawn_waiting(any_world, lock, take)
        interrupt.send()
        assert task.join(LONG_S)
        assert task.error is None
    # Nobody waits any more.
    with lock:
        pass
    assert lock.holder is None


def test_an_interrupt_from_before_lets_it_take_what_is_free_and_wait_for_nothing(
    lock: WwLock, any_world: sync.World
) -> None:
    interrupt = Interrupt()
    interrupt.send()
    with AcquireContext() as context:
        lock.lock(context, interrupt=interrupt)

        def take() -> None:
            with refused(errno.EINTR):
                lock.lock(interrupt=interrupt)
            interrupt.clear()
            lock.lock(interrupt=interrupt)
            lock.unlock()

        task = spawn_waiting(any_world, lock, take)
    assert task.join(LONG_S)


# What goes wrong.


def test_two_without_contexts_deadlock_and_are_named(virtual: sync.World) -> None:
    one, other = WwLock("one"), WwLock("other")

    def second() -> None:
        with other, one:
            pass

    one.lock()
    virtual.spawn(second, name="second")
    virtual.sleep(0.001)
    with pytest.raises(Deadlock, match="second waits for <WwLock one, held by main>") as caught:
        other.lock()
    assert "main waits for <WwLock other, held by second>" in str(caught.value)
    one.unlock()
    virtual.sleep(0.001)
    assert one.holder is other.holder is None


class Broken(Exception):  # noqa: N818
    """Stands for KeyboardInterrupt."""


@pytest.mark.parametrize("handed_over", [False, True])
def test_a_wait_that_is_broken_off_leaves_the_lock_to_others(
    virtual: sync.World,
    monkeypatch: pytest.MonkeyPatch,
    handed_over: bool,  # noqa: FBT001 - the two cases
) -> None:
    lock = WwLock()
    sleep = LockWait.sleep

    def break_off(wait: LockWait, interrupt: Interrupt | None) -> None:
        if handed_over or wait.task.name != "first":
            sleep(wait, interrupt)
        if wait.task.name == "first":
            raise Broken

    def take() -> bool:
        with lock:
            return True

    monkeypatch.setattr(LockWait, "sleep", break_off)
    with lock:
        first = virtual.spawn(take, name="first")
        second = virtual.spawn(take, name="second")
        virtual.sleep(0.001)
    first.join()
    second.join()
    assert isinstance(first.error, Broken)
    assert second.result is True
    assert lock.holder is None
