"""A virtual world is its own: other worlds and other threads have no business in it."""

from __future__ import annotations

import threading

import pytest

from fencepost import sync
from fencepost.errors import WrongWorld
from fencepost.sync.virtual import VirtualWorld


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
