from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost.checks.waits import LOOKS_A_LIMIT, Stall, Watchdog
from fencepost.errors import Deadlock
from fencepost.fences import Fence
from fencepost.sync import Gate, Task, current
from tests.checks.watching import Watched, in_turn, secret_mail, watched_world

LIMIT_S = 0.05
"""Of the watchdog; a test that fails waits much longer."""

PATIENCE_S = 10.0


def test_two_tasks_that_wait_for_each_others_lock_are_told_so_instead_of_hanging() -> None:
    with watched_world() as watched:
        locks = current().lock(), current().lock()
        met = secret_mail(), secret_mail()

        def take(mine: int, other: int) -> str:
            with locks[mine]:
                met[other].put("I have mine")
                met[mine].get()
                try:
                    with locks[other]:
                        return "got both"
                except Deadlock as deadlock:
                    return str(deadlock)

        tasks = [
            watched.world.spawn(lambda: take(0, 1), name="he"),
            watched.world.spawn(lambda: take(1, 0), name="she"),
        ]
        assert all(task.join(PATIENCE_S) for task in tasks)
    said = {task.result for task in tasks}
    assert said & {str(stall) for stall in watched.observers.stalls}
    (deadlock, *_) = said - {"got both"}
    assert "he waits for" in deadlock
    assert "up to she" in deadlock
    assert watched.observers.lock_order.found


def test_a_task_that_takes_its_own_lock_again_is_told_so() -> None:
    with watched_world() as watched:
        lock = current().lock()
        with lock, pytest.raises(Deadlock, match="MainThread waits for"):
            lock.acquire()
    assert len(watched.observers.stalls) == 1


def test_a_lock_that_is_waited_for_with_a_time_out_is_no_deadlock() -> None:
    with watched_world() as watched:
        lock = current().lock()
        with lock:
            assert not lock.acquire(True, 0.001)  # noqa: FBT003 - positional in the protocol
    assert watched.observers.findings == ()


def test_a_lock_that_is_given_back_in_time_is_no_deadlock() -> None:
    with watched_world() as watched:
        lock = current().lock()
        lock.acquire()
        task = watched.world.spawn(in_turn(lock.acquire, lock.release), name="she")
        until_waiting(watched, task)
        assert [str(wait).split(" (")[0] for wait in watched.observers.waits()] == ["she waits for lock of " + here()]
        assert watched.observers.waits()[0].whom == "MainThread"
        lock.release()
        assert task.join(PATIENCE_S)
    assert watched.observers.findings == ()


def here() -> str:
    return "test_a_lock_that_is_given_back_in_time_is_no_deadlock"


def until_waiting(watched: Watched, task: Task) -> None:
    """Return when `task` waits."""
    while task.waiting_on is None:
        watched.world.plain_waiter().wait(watched.world.now_ns() + 100_000, "a moment")


def test_who_waits_is_told_with_what_for_and_who_could_end_it() -> None:
    with watched_world() as watched:
        gate, fence, lock = Gate("the gate"), Fence(name="late"), current().lock()

        def wait_holding() -> None:
            with lock:
                fence.wait()

        opener = watched.world.spawn(gate.wait, name="opener")
        joiner = watched.world.spawn(opener.join, name="joiner")
        holder = watched.world.spawn(wait_holding, name="holder")
        for task in (opener, joiner, holder):
            until_waiting(watched, task)
        said = {wait.task: wait for wait in watched.observers.waits()}
        assert "the gate" in said["opener"].on
        assert said["opener"].whom == ""
        assert said["joiner"].whom == "opener"
        assert "late" in said["holder"].on
        assert len(said["holder"].held) == 1
        gate.open()
        fence.signal()


def test_services_that_wait_for_mail_are_idle() -> None:
    with watched_world() as watched:
        mail = current().mailbox("inbox")
        task = watched.world.spawn(mail.get, name="actor", service=True)
        until_waiting(watched, task)
        assert watched.observers.waits() == ()
        mail.put("end")


# The watchdog.


def watch_until_stalled(body: Callable[[Watched, Task], object], waiting: Callable[[], object]) -> list[Stall]:
    """Have a task wait, and the main one sleep until that is reported; then run `body`, which ends it."""
    with watched_world(stall_limit_s=LIMIT_S) as watched:
        reported = Gate("the report of the watchdog")
        stalls: list[Stall] = []
        watched.observers.on_stall = lambda stall: in_turn(lambda: stalls.append(stall), reported.open)()
        task = watched.world.spawn(waiting, name="stuck")
        assert reported.wait_until(None)
        body(watched, task)
        assert task.join(PATIENCE_S)
    return stalls


def test_the_watchdog_reports_who_waits_when_nothing_moves() -> None:
    fences: list[Fence] = []

    def wait() -> None:
        fences.append(Fence(name="never"))
        fences[0].wait()

    (stall,) = watch_until_stalled(lambda _watched, _task: fences[0].signal(), wait)
    assert "nothing has moved" in str(stall)
    assert {wait.task for wait in stall.waits} == {"stuck", "MainThread"}


def look_often(watched: Watched) -> list[Stall]:
    """Have a watchdog look for longer than its limit, while the main task waits; return what it reports."""
    stalls: list[Stall] = []
    dog, main = Watchdog(watched.observers.watches, LIMIT_S, stalls.append), watched.world.task()

    def look() -> None:
        until_waiting(watched, main)
        for _ in range(2 * LOOKS_A_LIMIT):
            dog.look(watched.world)

    assert watched.world.spawn_unseen(look, name="watchdog").join(PATIENCE_S)
    return stalls


def test_the_watchdog_is_still_while_a_timer_is_armed() -> None:
    with watched_world() as watched:
        fence = Fence()
        task = watched.world.spawn(fence.wait, name="patient")
        until_waiting(watched, task)
        assert [len(stall.waits) for stall in look_often(watched)] == [2]
        timer = watched.world.timers.call_at(watched.world.now_ns() + round(60e9), fence.signal)
        assert look_often(watched) == []
        assert timer.cancel()
        fence.signal()


def test_the_watchdog_is_still_while_somebody_waits_with_a_time_out() -> None:
    with watched_world() as watched:
        gate, other = Gate(), Gate()
        tasks = [
            watched.world.spawn(gate.wait, name="patient"),
            watched.world.spawn(lambda: other.wait(60.0), name="impatient"),
        ]
        for task in tasks:
            until_waiting(watched, task)
        assert look_often(watched) == []
        other.open()
        assert tasks[1].join(PATIENCE_S)
        assert len(look_often(watched)) == 1
        gate.open()


def test_the_watchdog_is_still_while_somebody_computes() -> None:
    """What a task does that nobody hears of is as good as computing."""
    with watched_world() as watched:
        gate, begun, enough = Gate(), secret_mail(), secret_mail()
        task = watched.world.spawn(gate.wait, name="patient")
        computing = watched.world.spawn(in_turn(lambda: begun.put("begun"), enough.get), name="computing")
        begun.get()
        until_waiting(watched, task)
        assert look_often(watched) == []
        enough.put("enough")
        assert computing.join(PATIENCE_S)
        assert len(look_often(watched)) == 1
        gate.open()


def test_the_watchdog_ends_with_its_world() -> None:
    with watched_world(stall_limit_s=60.0) as watched:
        pass
    assert [task for task in watched.world.tasks if not task.done] == []
