"""Waiters, gates, mailboxes and locks: the same claims in each world."""

from __future__ import annotations

import pytest

from fencepost import sync
from fencepost.errors import WrongContext
from fencepost.sync.primitives import wake_all

LONG_S = 20.0
SHORT_S = 0.002


class Refusing:
    """A waiter of a world that is elsewhere."""

    def wait(self, deadline_ns: int | None, on: object) -> bool:
        raise NotImplementedError

    def wake(self) -> None:
        raise LookupError("elsewhere")


# Waiter.


def test_a_wake_before_the_sleep_is_not_lost(any_world: sync.World) -> None:
    waiter = any_world.waiter()
    waiter.wake()
    assert waiter.wait(None, "nothing")


def test_waking_twice_does_nothing_more(any_world: sync.World) -> None:
    waiter = any_world.waiter()
    waiter.wake()
    waiter.wake()
    assert waiter.wait(None, "nothing")


def test_a_waiter_is_woken_by_another_task(any_world: sync.World) -> None:
    waiter = any_world.waiter()
    any_world.spawn(waiter.wake, name="waker")
    assert waiter.wait(None, "the waker")


def test_a_waiter_sleeps_until_its_deadline_and_never_less(any_world: sync.World) -> None:
    deadline_ns = any_world.now_ns() + 2_000_000
    assert not any_world.waiter().wait(deadline_ns, "nothing")
    assert any_world.now_ns() >= deadline_ns


def test_a_deadline_in_the_past_only_looks(any_world: sync.World) -> None:
    waiter = any_world.waiter()
    assert not waiter.wait(any_world.now_ns(), "nothing")
    waiter.wake()
    assert waiter.wait(any_world.now_ns() - 1, "nothing")


def test_sleeping_takes_the_time_it_was_given(any_world: sync.World) -> None:
    before_ns = any_world.now_ns()
    any_world.sleep(SHORT_S)
    assert any_world.now_ns() - before_ns >= 2_000_000


def test_who_may_not_block_is_refused_with_the_reason(any_world: sync.World) -> None:
    task = any_world.task()
    task.no_block = "it is being tested"
    try:
        with pytest.raises(WrongContext, match=r"may not wait for the moon: it is being tested"):
            any_world.waiter().wait(None, "the moon")
    finally:
        task.no_block = None


def test_what_a_task_waits_for_is_known_while_it_waits_and_not_after(any_world: sync.World) -> None:
    gate = sync.Gate("the gate")
    seen: list[object] = []

    def look() -> None:
        while main.waiting_on is None:
            any_world.sleep(0.0001)
        seen.append(main.waiting_on)
        gate.open()

    main = any_world.task()
    any_world.spawn(look, name="looker")
    gate.wait(LONG_S)
    assert seen == [gate]
    assert main.waiting_on is None


def test_every_sleeper_is_woken_although_one_refuses(any_world: sync.World) -> None:
    waiters = [any_world.waiter(), Refusing(), any_world.waiter(), Refusing()]
    with pytest.raises(LookupError):
        wake_all(waiters)
    assert waiters[0].wait(None, "nothing")
    assert waiters[2].wait(None, "nothing")


# Time-outs.


@pytest.mark.parametrize("timeout_s", [-1, -0.001, float("nan")])
def test_a_time_out_that_is_none_is_refused(any_world: sync.World, timeout_s: float) -> None:
    with pytest.raises(ValueError, match=r"time-out of .*, expected 0 or more"):
        sync.deadline_ns(timeout_s)
    with pytest.raises(ValueError, match=r"time-out of .*, expected 0 or more"):
        any_world.spawn(lambda: None, name="task").join(timeout_s)


def test_no_limit_is_no_deadline(any_world: sync.World) -> None:
    assert sync.deadline_ns(None) is None
    assert sync.deadline_ns(float("inf")) is None
    assert any_world.spawn(lambda: None, name="task").join(float("inf"))


# Gate.


def test_a_gate_lets_everybody_through_once_it_is_open(any_world: sync.World) -> None:
    gate = sync.Gate()
    tasks = [any_world.spawn(lambda: gate.wait(LONG_S), name=f"task{index}") for index in range(5)]
    assert not gate.is_open
    gate.open()
    gate.open()
    assert all(task.join(LONG_S) and task.result for task in tasks)
    assert gate.wait()
    assert gate.is_open


def test_waiting_at_a_shut_gate_ends_with_the_time_out(any_world: sync.World) -> None:
    gate = sync.Gate()
    assert not gate.wait(SHORT_S)
    assert not gate.wait(0)
    assert not gate.wait_until(any_world.now_ns())


def test_a_gate_tells_its_name_and_state(any_world: sync.World) -> None:  # noqa: ARG001 - which world it is made in
    gate = sync.Gate("the answer")
    assert repr(gate) == "<the answer, shut>"
    gate.open()
    assert repr(gate) == "<the answer, open>"


# Mailbox.


def test_a_mailbox_keeps_the_order(any_world: sync.World) -> None:
    mailbox: sync.Mailbox[int] = any_world.mailbox()
    for number in range(10):
        mailbox.put(number)
    assert [mailbox.get() for _ in range(10)] == list(range(10))
    assert mailbox.empty()


def test_taking_from_an_empty_mailbox_without_waiting_is_refused(any_world: sync.World) -> None:
    with pytest.raises(sync.Empty):
        any_world.mailbox().get_nowait()


def test_a_receiver_waits_for_a_sender(any_world: sync.World) -> None:
    mailbox: sync.Mailbox[str] = any_world.mailbox()
    any_world.spawn(lambda: mailbox.put("letter"), name="sender")
    assert mailbox.get() == "letter"


def test_nothing_is_lost_between_many_senders_and_one_receiver(any_world: sync.World) -> None:
    mailbox: sync.Mailbox[int] = any_world.mailbox()

    def send(first: int) -> None:
        for number in range(first, first + 100):
            mailbox.put(number)

    for sender in range(4):
        any_world.spawn(lambda first=sender * 100: send(first), name=f"sender{sender}")  # type: ignore[misc]
    got = [mailbox.get() for _ in range(400)]
    assert sorted(got) == list(range(400))
    for sender in range(4):
        own = [number for number in got if number // 100 == sender]
        assert own == sorted(own)


def test_each_of_several_receivers_is_woken(any_world: sync.World) -> None:
    """As the workers of a work queue: with one place for a receiver, all but the last would sleep for ever."""
    mailbox: sync.Mailbox[None] = any_world.mailbox()
    workers = [any_world.spawn(mailbox.get, name=f"worker{index}", service=True) for index in range(3)]
    any_world.sleep(SHORT_S)
    for _ in workers:
        mailbox.put(None)
    assert all(worker.join(LONG_S) for worker in workers)


# Lock.


def test_a_lock_excludes(any_world: sync.World) -> None:
    lock = any_world.lock()
    inside: list[int] = []

    def work() -> None:
        for _ in range(20):
            with lock:
                inside.append(1)
                assert len(inside) == 1
                any_world.sleep(0.00001)
                inside.pop()

    tasks = [any_world.spawn(work, name=f"task{index}") for index in range(3)]
    assert all(task.join(LONG_S) for task in tasks)
    assert any_world.failures == []


def test_trying_a_lock_that_is_taken_fails(any_world: sync.World) -> None:
    lock = any_world.lock()
    assert lock.acquire()
    assert lock.locked()
    assert not lock.acquire(False)  # noqa: FBT003 - positional in the protocol
    assert not lock.acquire(True, SHORT_S)  # noqa: FBT003
    lock.release()
    assert not lock.locked()
    assert lock.acquire(False)  # noqa: FBT003
    lock.release()


def test_releasing_a_free_lock_is_refused(any_world: sync.World) -> None:
    with pytest.raises(RuntimeError):
        any_world.lock().release()


def test_a_lock_is_free_again_after_an_exception(any_world: sync.World) -> None:
    lock = any_world.lock()
    with pytest.raises(LookupError), lock:
        raise LookupError
    assert not lock.locked()
