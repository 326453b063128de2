"""The kernel's own self-tests of dma_fence: rows 1 to 12 of spec/dma_fence.md 4.1."""

from __future__ import annotations

import errno

import pytest

from fencepost import sync
from fencepost.fences import Fence, get_stub
from tests.fences.kit import LONG_S

RACE_ROUNDS = 150
"""The kernel races for 50 ms a pass."""

pytestmark = pytest.mark.usefixtures("any_world")


class Callback:
    """Notes that it was called."""

    def __init__(self) -> None:
        self.seen = False

    def __call__(self, _fence: Fence) -> None:
        self.seen = True


def enabled_fence() -> Fence:
    fence = Fence()
    assert fence.enable_signaling()
    return fence


def test_sanitycheck() -> None:
    assert enabled_fence().signal()


def test_signaling() -> None:
    fence = enabled_fence()
    assert not fence.signaled
    assert fence.signal()
    assert fence.signaled
    assert not fence.signal()


def test_add_callback() -> None:
    fence, callback = Fence(), Callback()
    assert fence.add_callback(callback)
    fence.signal()
    assert callback.seen


def test_late_add_callback() -> None:
    fence, callback = enabled_fence(), Callback()
    fence.signal()
    assert not fence.add_callback(callback)
    fence.signal()
    assert not callback.seen


def test_rm_callback() -> None:
    fence, callback = Fence(), Callback()
    assert fence.add_callback(callback)
    assert fence.remove_callback(callback)
    fence.signal()
    assert not callback.seen


def test_late_rm_callback() -> None:
    fence, callback = Fence(), Callback()
    assert fence.add_callback(callback)
    fence.signal()
    assert callback.seen
    assert not fence.remove_callback(callback)


def test_status() -> None:
    fence = enabled_fence()
    assert fence.status == 0
    fence.signal()
    assert fence.status == 1


def test_error() -> None:
    fence = enabled_fence()
    fence.set_error(-errno.EIO)
    assert fence.status == 0
    fence.signal()
    assert fence.status == -errno.EIO


def test_wait() -> None:
    fence = enabled_fence()
    assert not fence.wait(0)
    fence.signal()
    assert fence.wait(0)


def test_wait_timeout(any_world: sync.World) -> None:
    fence = enabled_fence()
    assert not fence.wait(0.001)
    any_world.timers.call_at(any_world.now_ns() + 1_000_000, fence.signal)
    assert fence.wait(LONG_S)


def test_stub() -> None:
    stubs = [get_stub() for _ in range(64)]
    assert all(stub.signaled for stub in stubs)


@pytest.mark.parametrize("signal_first", [False, True])
def test_race_signal_callback(any_world: sync.World, signal_first: bool) -> None:  # noqa: FBT001 - the two passes
    """Two tasks publish a fence each, signal it, and add a callback to the other's; one that was added is seen."""
    slots: list[Fence | None] = [None, None]
    added = [0, 0]

    def race(me: int) -> None:
        for _ in range(RACE_ROUNDS):
            mine = slots[me] = enabled_fence()
            while (other := slots[1 - me]) is None and not finished[1 - me]:
                any_world.sleep(0.000001)
            if other is None:
                mine.signal()
                break
            race_once(mine, other, me)
            slots[me] = None
        finished[me] = True

    def race_once(mine: Fence, other: Fence, me: int) -> None:
        callback = Callback()
        if signal_first:
            mine.signal()
        was_added = other.add_callback(callback)
        added[me] += was_added
        if not signal_first:
            mine.signal()
        if was_added and not callback.seen:
            assert other.wait(LONG_S)
            other.wait_for_callbacks()
        assert callback.seen == was_added

    finished = [False, False]
    racers = [any_world.spawn(lambda me=me: race(me), name=f"racer{me}") for me in (0, 1)]  # type: ignore[misc]
    assert all(racer.join(LONG_S) for racer in racers)
    assert any_world.failures == []
