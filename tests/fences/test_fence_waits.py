"""Waiting for a fence, or for any of several, in each world: spec/dma_fence.md 1.6."""

from __future__ import annotations

import pytest

from fencepost import sync
from fencepost.errors import WrongContext
from fencepost.fences import Fence, wait_any
from tests.fences.kit import LONG_S, SHORT_S, until_asleep

pytestmark = pytest.mark.usefixtures("any_world")


def test_a_wait_ends_with_the_signal(any_world: sync.World) -> None:
    fence = Fence()
    any_world.spawn(fence.signal, name="signaller")
    assert fence.wait(LONG_S)


def test_a_wait_without_a_limit_ends_with_the_signal(any_world: sync.World) -> None:
    fence = Fence()
    any_world.timers.call_at(any_world.now_ns() + 1_000_000, fence.signal)
    assert fence.wait()


def test_a_wait_ends_with_the_time_out_and_not_before(any_world: sync.World) -> None:
    fence = Fence()
    before_ns = any_world.now_ns()
    assert not fence.wait(SHORT_S)
    assert any_world.now_ns() - before_ns >= 2_000_000
    assert not fence.wait_until(any_world.now_ns())


def test_a_wait_of_no_time_only_looks() -> None:
    fence = Fence()
    assert not fence.wait(0)
    fence.signal()
    assert fence.wait(0)


def test_a_negative_time_out_is_refused() -> None:
    with pytest.raises(ValueError, match="a time-out of -1 s, expected 0 or more"):
        Fence().wait(-1)


def test_who_slept_returns_after_the_callbacks(any_world: sync.World) -> None:
    fence, done = Fence(), list[str]()

    def sleep() -> None:
        fence.wait(LONG_S)
        done.append("sleeper")

    sleeper = any_world.spawn(sleep, name="sleeper")
    until_asleep(any_world, fence, sleeper)
    fence.add_callback(lambda _: done.append("callback"))
    fence.signal()
    assert sleeper.join(LONG_S)
    assert done == ["callback", "sleeper"]


def test_any_number_may_wait_for_one_fence(any_world: sync.World) -> None:
    fence = Fence()
    sleepers = [any_world.spawn(lambda: fence.wait(LONG_S), name=f"sleeper{index}") for index in range(10)]
    hasty = [any_world.spawn(lambda: fence.wait(SHORT_S / 10), name=f"hasty{index}") for index in range(10)]
    assert all(task.join(LONG_S) for task in hasty)
    fence.signal()
    assert all(sleeper.join(LONG_S) and sleeper.result for sleeper in sleepers)


def test_waiting_for_any_tells_the_first_that_has_signalled() -> None:
    fences = [Fence() for _ in range(4)]
    fences[3].signal()
    assert wait_any(fences) == 3
    fences[1].signal()
    assert wait_any(fences, 0) == 1


def test_waiting_for_any_ends_with_a_signal(any_world: sync.World) -> None:
    fences = [Fence() for _ in range(4)]
    any_world.timers.call_at(any_world.now_ns() + 1_000_000, fences[2].signal)
    assert wait_any(fences, LONG_S) == 2


def test_waiting_for_any_ends_with_the_time_out() -> None:
    fences = [Fence() for _ in range(4)]
    assert wait_any(fences, SHORT_S) is None
    assert wait_any(fences, 0) is None


def test_waiting_for_any_leaves_no_callback_behind() -> None:
    """Else they would warn here, where nobody keeps the fences."""
    fences = [Fence(), Fence()]
    assert wait_any([*fences, fences[0]], SHORT_S) is None
    fence = Fence()
    fence.add_callback(lambda _: wait_any(fences))
    with pytest.raises(WrongContext, match="may not wait for any of 2 fences"):
        fence.signal()


def test_waiting_for_any_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no fences to wait for"):
        wait_any([])
    with pytest.raises(ValueError, match="time-out of -1 s"):
        wait_any([Fence()], -1)
