"""Fences with the two operations of a kernel fence: spec/dma_fence.md 1.5 and 1.8."""

from __future__ import annotations

import errno

import pytest

from fencepost import sync
from fencepost.fences import Fence, HookedFence, later, wait_any
from tests.fences.kit import LONG_S

pytestmark = pytest.mark.usefixtures("any_world")


class Device(HookedFence):
    """Counts what it is asked, and is complete when told."""

    __slots__ = ("asked", "complete", "enabled", "error_on_enable", "failure")

    def __init__(self, context: int | None = None, seqno: int = 0) -> None:
        super().__init__(context, seqno, name="device")
        self.enabled = 0
        self.asked = 0
        self.complete = False
        self.error_on_enable = 0
        self.failure: Exception | None = None

    def on_enable(self) -> bool:
        if self.failure is not None:
            raise self.failure
        self.enabled += 1
        if self.error_on_enable:
            self.set_error_locked(self.error_on_enable)
        return not self.complete

    def poll(self) -> bool:
        self.asked += 1
        return self.complete


def test_signalling_is_enabled_once_by_whoever_is_first() -> None:
    fence = Device()
    assert fence.enabled == 0
    fence.add_callback(lambda _: None)
    assert not fence.wait(0)
    assert fence.enable_signaling()
    assert fence.enabled == 1
    fence.signal()


def test_even_a_wait_of_no_time_enables() -> None:
    fence = Device()
    assert not fence.wait(0)
    assert fence.enabled == 1


def test_signalling_is_never_enabled_after_the_signal() -> None:
    fence = Device()
    fence.signal()
    assert not fence.add_callback(print)
    assert not fence.enable_signaling()
    assert fence.wait()
    assert fence.enabled == 0


def test_asking_does_not_enable() -> None:
    fence = Device()
    assert not fence.signaled
    assert fence.status == 0
    assert wait_any([fence], 0) is None
    assert fence.enabled == 0


def test_work_that_is_complete_at_the_enabling_signals_and_refuses_the_callback() -> None:
    fence = Device()
    fence.complete = True
    assert not fence.add_callback(print)
    assert fence.signaled
    assert fence.timestamp_ns >= 0


def test_work_that_is_complete_at_the_enabling_signals() -> None:
    one, other = Device(), Device()
    one.complete = other.complete = True
    assert not one.enable_signaling()
    assert one.signaled
    assert other.wait(0)
    assert other.signaled


def test_the_enabling_may_set_the_error() -> None:
    fence = Device()
    fence.complete, fence.error_on_enable = True, -errno.EIO
    assert fence.wait()
    assert fence.error == -errno.EIO


def test_an_enabling_that_raises_is_tried_again() -> None:
    """Else those who come later would wait for a signal that nobody has armed."""
    fence = Device()
    fence.failure = LookupError("no interrupt")
    with pytest.raises(LookupError):
        fence.add_callback(print)
    fence.failure = None
    ran: list[Fence] = []
    assert fence.add_callback(ran.append)
    assert fence.enabled == 1
    fence.signal()
    assert ran == [fence]


def test_a_question_signals_complete_work_and_runs_the_callbacks_here() -> None:
    fence, ran = Device(), list[Fence]()
    fence.add_callback(ran.append)
    assert not fence.signaled
    fence.complete = True
    assert ran == []
    assert fence.signaled
    assert ran == [fence]


def test_the_status_is_asked_of_the_owner_too() -> None:
    fence = Device()
    assert fence.status == 0
    fence.complete = True
    assert fence.status == 1


def test_the_owner_is_not_asked_after_the_signal() -> None:
    fence = Device()
    fence.signal()
    assert fence.signaled
    assert fence.status == 1
    assert fence.asked == 0


def test_complete_work_may_go_unnoticed_without_a_question() -> None:
    """Which is why the order of signals need not be that of the numbers: C before A and B."""
    a, b, c = (Device(1, seqno) for seqno in (1, 2, 3))
    order: list[Fence] = []
    for fence in (a, b, c):
        fence.add_callback(order.append)
        fence.complete = True
    assert c.signaled
    assert order == [c]
    assert a.signaled
    assert b.signaled
    assert order == [c, a, b]


def test_the_later_of_two_is_asked_whether_it_is_complete() -> None:
    one, other = Device(1, 1), Device(1, 2)
    assert later(one, other) is other
    other.complete = True
    assert later(one, other) is None


def test_many_may_ask_at_once_and_the_callbacks_run_once(any_world: sync.World) -> None:
    for _ in range(20):
        fence, ran, start = Device(), list[Fence](), sync.Gate()
        fence.add_callback(ran.append)
        fence.complete = True
        askers = [
            any_world.spawn(lambda s=start, f=fence: s.wait(LONG_S) and f.signaled, name=f"asker{index}")  # type: ignore[misc]
            for index in range(3)
        ]
        start.open()
        assert all(asker.join(LONG_S) and asker.result for asker in askers)
        assert ran == [fence]
