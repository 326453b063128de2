"""What happens at the same time: on real threads by stress, in the virtual world exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import ClassVar

import pytest

from fencepost import sync
from fencepost.errors import Deadlock, WrongWorld
from fencepost.fences import Fence, wait_any
from fencepost.sync.native import NativeWorld
from fencepost.sync.virtual import VirtualWorld
from tests.fences.kit import LONG_S, together, until_asleep

ROUNDS = 60


class Trap:
    """A lock that runs a function at the moment after it was released, once."""

    def __init__(self, world: sync.World) -> None:
        self._lock = world.lock()
        self.spring: Callable[[], object] | None = None

    def acquire(self, blocking: bool = True, timeout: float = -1, /) -> bool:  # noqa: FBT001, FBT002 - as Lock
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        spring, self.spring = self.spring, None
        self._lock.release()
        if spring is not None:
            spring()

    def locked(self) -> bool:
        return self._lock.locked()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None, /
    ) -> None:
        self.release()


@pytest.fixture
def held_callback(native: sync.World) -> Iterator[tuple[Fence, Callable[[], None]]]:
    """A fence whose signaller stands in a callback, and the function that lets it go on."""
    fence, entered, release = Fence(name="held"), sync.Gate(), native.lock()
    release.acquire()

    def hold(_: Fence) -> None:
        entered.open()
        # A bare lock, since a callback may not wait as others do.
        release.acquire()

    fence.add_callback(hold)
    native.spawn(fence.signal, name="signaller")
    assert entered.wait(LONG_S)
    yield fence, release.release
    if not release.acquire(False):  # noqa: FBT003 - positional in the protocol
        release.release()


def test_one_of_many_signals_wins(any_world: sync.World) -> None:
    for _ in range(ROUNDS):
        fence, ran = Fence(), list[Fence]()
        fence.add_callback(ran.append)
        tasks = together(any_world, fence.signal, fence.signal, lambda f=fence: f.signal(-5))  # type: ignore[misc]
        assert sorted(task.result for task in tasks) == [False, False, True]
        assert ran == [fence]
        assert fence.error == (-5 if tasks[2].result else 0)


def test_a_callback_that_was_added_runs_and_one_that_was_refused_does_not(any_world: sync.World) -> None:
    for _ in range(ROUNDS):
        fence, ran = Fence(), list[Fence]()
        tasks = together(any_world, lambda f=fence, r=ran: f.add_callback(r.append), fence.signal)  # type: ignore[misc]
        fence.wait_for_callbacks()
        assert len(ran) == tasks[0].result


def test_removing_against_the_signal_has_two_outcomes(any_world: sync.World) -> None:
    """True: it never runs. False: it has run, and finished, by the time the answer is there."""
    for _ in range(ROUNDS):
        fence, ran = Fence(), list[str]()

        def callback(_: Fence, ran: list[str] = ran) -> None:
            ran.append("begun")
            ran.append("finished")

        def remove(fence: Fence = fence, ran: list[str] = ran) -> tuple[bool, list[str]]:
            return fence.remove_callback(callback), list(ran)

        fence.add_callback(callback)
        remover, _ = together(any_world, remove, fence.signal)
        assert remover.result in [(True, []), (False, ["begun", "finished"])]
        assert ran == remover.result[1]


def test_removing_first_or_signalling_first_decides_it(virtual: sync.World) -> None:
    for signal_first in (False, True):
        fence, ran = Fence(), list[Fence]()
        fence.add_callback(ran.append)
        if signal_first:
            virtual.spawn(fence.signal, name="signaller").join()
        assert fence.remove_callback(ran.append) is not signal_first
        fence.signal()
        assert len(ran) == signal_first


def test_removing_waits_for_the_callbacks_that_are_running(
    native: sync.World, held_callback: tuple[Fence, Callable[[], None]]
) -> None:
    fence, let_go = held_callback
    assert fence.signaled
    remover = native.spawn(lambda: fence.remove_callback(print), name="remover")
    barrier = native.spawn(fence.wait_for_callbacks, name="barrier")
    assert not fence.remove_callback(print, wait=False)
    until_asleep(native, fence, remover, barrier)
    let_go()
    assert remover.join(LONG_S)
    assert remover.result is False
    assert barrier.join(LONG_S)


def test_a_sleeper_whose_time_is_up_during_the_callbacks_waits_for_them(native: sync.World) -> None:
    """As in the kernel, where it must take the fence's lock before it returns."""
    fence, entered, release = Fence(), sync.Gate(), native.lock()
    release.acquire()

    def hold(_: Fence) -> None:
        entered.open()
        release.acquire()

    class Expiring:
        """A sleep whose time is up when the signaller is in the callback."""

        def wait(self, deadline_ns: int | None, on: object) -> bool:  # noqa: ARG002 - as Waiter
            native.spawn(fence.signal, name="signaller")
            assert entered.wait(LONG_S)
            return False

        def wake(self) -> None: ...

    class Hasty(NativeWorld):
        """A world whose first sleep is that one."""

        waiters: ClassVar[list[sync.Waiter]] = [Expiring()]

        def waiter(self) -> sync.Waiter:
            return self.waiters.pop() if self.waiters else super().waiter()

    def sleep() -> bool:
        world = Hasty()
        world.enter()
        try:
            return fence.wait(1)
        finally:
            world.close()

    fence.add_callback(hold)
    sleeper = native.spawn(sleep, name="sleeper")
    assert entered.wait(LONG_S)
    until_asleep(native, fence, sleeper)
    release.release()
    assert sleeper.join(LONG_S)
    assert sleeper.result is True


def test_a_sleeper_whose_time_is_up_takes_nobody_else_off_the_list(any_world: sync.World) -> None:
    for turn in range(ROUNDS):
        fence = Fence()
        hasty = partial(fence.wait, (turn % 10) * 0.00002)
        patient = partial(fence.wait, LONG_S)
        tasks = together(any_world, hasty, hasty, hasty, patient, patient, fence.signal)
        assert [task.result for task in tasks[3:5]] == [True, True]


def test_the_list_of_sleepers_is_the_signallers_once_the_lock_is_free(any_world: sync.World) -> None:
    """A time-out that takes the lock right after the signal released it finds no list that is being walked."""
    trap = Trap(any_world)
    fence = Fence(lock=trap)
    sleepers = [any_world.spawn(lambda: fence.wait(LONG_S), name=f"sleeper{index}") for index in range(3)]
    until_asleep(any_world, fence, *sleepers)
    seen: list[object] = []
    trap.spring = lambda: seen.append(fence._waiters)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
    fence.signal()
    assert seen == [None]
    assert all(sleeper.join(LONG_S) and sleeper.result for sleeper in sleepers)


def test_what_a_reader_without_the_lock_sees_is_complete(native: sync.World) -> None:
    for turn in range(ROUNDS):
        fence = Fence()

        def read(fence: Fence = fence) -> tuple[int, int, int]:
            while not fence.signaled:
                native.sleep(0)
            return fence.error, fence.status, fence.timestamp_ns

        if turn % 2:
            fence.add_callback(lambda _: None)
        reader, _ = together(native, read, lambda f=fence: f.signal(-5, timestamp_ns=77))  # type: ignore[misc]
        assert reader.result == (-5, -5, 77)


def test_waiting_for_any_of_many_that_signal_at_once(any_world: sync.World) -> None:
    for _ in range(ROUNDS):
        fences = [Fence() for _ in range(3)]
        tasks = together(
            any_world,
            lambda f=fences: wait_any(f, LONG_S),  # type: ignore[misc]
            *(fence.signal for fence in reversed(fences)),
        )
        index: int | None = tasks[0].result
        assert index is not None
        assert fences[index].signaled


def test_fences_with_one_lock_signal_each_others_dependents(any_world: sync.World) -> None:
    for _ in range(ROUNDS):
        lock = any_world.lock()
        fences = [Fence(lock=lock) for _ in range(6)]
        ran: list[Fence] = []
        for fence in fences:
            fence.add_callback(ran.append)
        fences[0].add_callback(lambda _, f=fences: f[5].signal())  # type: ignore[misc]
        together(any_world, *(fence.signal for fence in fences))
        assert sorted(map(id, ran)) == sorted(map(id, fences))


def test_a_sleeper_of_another_world_does_not_keep_the_others_asleep(native: sync.World) -> None:
    fence, inner = Fence(name="shared"), VirtualWorld()
    inner.enter()
    foreign = inner.spawn(fence.wait, name="foreign")
    inner.pass_turn()
    sleeper = native.spawn(lambda: fence.wait(LONG_S), name="sleeper")
    until_asleep(native, fence, sleeper)
    signaller = native.spawn(fence.signal, name="signaller")
    assert signaller.join(LONG_S)
    assert isinstance(signaller.error, WrongWorld)
    assert sleeper.join(LONG_S)
    assert sleeper.result is True
    assert inner.close() == [foreign]
    native.failures.clear()


def test_in_the_virtual_world_every_step_is_where_it_should_be(virtual: sync.World) -> None:
    fence, happened = Fence(name="job"), list[tuple[int, str]]()

    def note(what: str) -> None:
        happened.append((virtual.now_ns(), what))

    def sleep(name: str, timeout_s: float) -> None:
        note(f"{name} {fence.wait(timeout_s)}")

    fence.add_callback(lambda _: note("first callback"))
    for name, timeout_s in (("short", 1), ("exact", 2), ("long", 3)):
        virtual.spawn(lambda n=name, t=timeout_s: sleep(n, t), name=name)  # type: ignore[misc]
    virtual.timers.call_at(2_000_000_000, fence.signal)
    virtual.sleep(1.5)
    fence.add_callback(lambda _: note("second callback"))
    fence.wait()
    note("main")
    virtual.sleep(1)
    assert happened == [
        (1_000_000_000, "short False"),
        (2_000_000_000, "exact False"),
        (2_000_000_000, "first callback"),
        (2_000_000_000, "second callback"),
        (2_000_000_000, "long True"),
        (2_000_000_000, "main"),
    ]
    assert fence.timestamp_ns == 2_000_000_000


def test_a_fence_that_nobody_signals_is_named_in_the_deadlock(virtual: sync.World) -> None:
    fences = [Fence(1, 4, name="gfx"), Fence(2, 9, name="copy")]
    waiting = virtual.spawn(fences[1].wait, name="client")
    with pytest.raises(Deadlock) as caught:
        wait_any(fences)
    assert "main waits for any of 2 fences, first <Fence gfx:4 pending>" in str(caught.value)
    assert "client waits for <Fence copy:9 pending>" in str(caught.value)
    fences[1].signal()
    assert waiting.join()
