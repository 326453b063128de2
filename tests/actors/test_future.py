from __future__ import annotations

import pykka
import pytest

from fencepost import sync
from fencepost.actors.future import Future
from fencepost.errors import WrongState


def test_a_future_holds_what_was_set() -> None:
    future: Future[int] = Future()
    future.set(5)
    assert future.get() == 5
    assert future.get(timeout=0) == 5


def test_a_future_raises_what_was_set() -> None:
    future: Future[int] = Future()
    future.set_exception((KeyError, KeyError("lost"), None))
    for _ in range(2):
        with pytest.raises(KeyError, match="lost"):
            future.get()


def test_waiting_in_vain_ends_with_pykkas_time_out() -> None:
    future: Future[int] = Future()
    with pytest.raises(pykka.Timeout, match="no answer within 0 seconds"):
        future.get(timeout=0)
    future.set(1)
    assert future.get(timeout=0) == 1


def test_a_future_is_set_once() -> None:
    future: Future[int] = Future()
    future.set(1)
    with pytest.raises(WrongState, match="was set before"):
        future.set(2)
    with pytest.raises(WrongState, match="was set before"):
        future.set_exception((ValueError, ValueError(), None))
    assert future.get() == 1


def test_a_future_of_a_virtual_world_waits_in_virtual_time() -> None:
    world = sync.world("virtual")
    world.enter()
    try:
        future: Future[str] = Future()
        world.timers.call_at(3_000_000_000, lambda: future.set("late"))
        with pytest.raises(pykka.Timeout):
            future.get(timeout=2)
        assert future.get(timeout=2) == "late"
        assert world.now_ns() == 3_000_000_000
    finally:
        world.close()
