"""Waiting for the fences of a reservation, and polling it."""

from __future__ import annotations

import errno

import pytest

from fencepost import sync
from fencepost.errors import WrongContext
from fencepost.fences import Fence, get_stub
from fencepost.fences.interrupt import Interrupt
from fencepost.fences.reservation import Reservation, Usage
from tests.fences.kit import LONG_S, Work, until_asleep
from tests.fences.refusal import refused
from tests.fences.reservations import EACH_USAGE, fill


@pytest.fixture
def reservation(any_world: sync.World) -> Reservation:  # noqa: ARG001 - it is made there
    return Reservation()


@EACH_USAGE
def test_it_waits_for_all_that_the_usage_asks_for(
    reservation: Reservation, usage: Usage, any_world: sync.World
) -> None:
    fences = [Fence() for _ in Usage]
    fill(reservation, *zip(fences, Usage, strict=True))
    waiter = any_world.spawn(lambda: reservation.wait(usage, LONG_S), name="waiter")
    for fence in fences[: usage + 1]:
        until_asleep(any_world, fence, waiter)
        fence.signal()
    assert waiter.join(LONG_S)
    assert waiter.result is True
    assert reservation.wait(usage, 0)


@EACH_USAGE
def test_a_poll_and_a_wait_whose_time_is_up_say_so(reservation: Reservation, usage: Usage) -> None:
    fill(reservation, (Fence(), usage))
    assert not reservation.wait(usage, 0)
    assert not reservation.wait(usage, 0.001)
    assert not reservation.wait(usage, 0, interrupt=Interrupt())
    assert not reservation.wait(usage, 0.001, interrupt=Interrupt())


def test_the_time_is_for_all_fences_together(virtual: sync.World) -> None:
    reservation, fences = Reservation(), [Fence() for _ in range(5)]
    fill(reservation, *((fence, Usage.READ) for fence in fences))
    for number, fence in enumerate(fences):
        virtual.timers.call_at(virtual.now_ns() + (number + 1) * 1_000_000, fence.signal)
    assert not reservation.wait(Usage.READ, 0.0035)
    assert virtual.now_ns() == 3_500_000
    assert reservation.wait(Usage.READ, 0.0015)
    assert virtual.now_ns() == 5_000_000


def test_a_poll_takes_no_time(virtual: sync.World) -> None:
    """Of a whole list, since each fence is polled as well (historic bug: a tick for each)."""
    reservation = Reservation()
    fill(reservation, *((Fence(), Usage.READ) for _ in range(100)))
    assert not reservation.wait(Usage.READ, 0)
    assert virtual.now_ns() == 0


def test_a_poll_asks_for_the_signal(reservation: Reservation) -> None:
    fence = Work()
    fill(reservation, (fence, Usage.READ))
    assert not reservation.test_signaled(Usage.READ)
    assert fence.enabled == 0
    assert not reservation.wait(Usage.READ, 0)
    assert fence.enabled == 1


def test_it_may_be_waited_for_while_it_is_held(reservation: Reservation, any_world: sync.World) -> None:
    fence = Fence()
    fill(reservation, (fence, Usage.READ))
    with reservation:
        any_world.timers.call_at(any_world.now_ns() + 1_000_000, fence.signal)
        assert reservation.wait(Usage.READ, LONG_S)


def test_an_interrupt_ends_the_wait(reservation: Reservation, any_world: sync.World) -> None:
    fence, interrupt = Fence(), Interrupt("^C")
    fill(reservation, (fence, Usage.READ))

    def wait() -> None:
        with refused(errno.EINTR, "<^C> ended the wait for <Fence"):
            reservation.wait(Usage.READ, LONG_S, interrupt=interrupt)

    waiter = any_world.spawn(wait, name="waiter")
    until_asleep(any_world, fence, waiter)
    interrupt.send()
    assert waiter.join(LONG_S)
    assert waiter.error is None
    with refused(errno.EINTR):
        reservation.wait(Usage.READ, interrupt=interrupt)
    interrupt.clear()
    assert not reservation.wait(Usage.READ, 0, interrupt=interrupt)


def test_the_signal_comes_before_the_interrupt(reservation: Reservation, any_world: sync.World) -> None:
    fence, interrupt = Fence(), Interrupt()
    fill(reservation, (fence, Usage.READ))
    waiter = any_world.spawn(lambda: reservation.wait(Usage.READ, interrupt=interrupt), name="waiter")
    until_asleep(any_world, fence, waiter)
    fence.signal()
    interrupt.send()
    assert waiter.join(LONG_S)
    assert waiter.result is True
    assert reservation.wait(Usage.READ, interrupt=interrupt)


def test_no_fences_are_waited_for_in_no_time(reservation: Reservation) -> None:
    interrupt = Interrupt()
    interrupt.send()
    assert reservation.wait(Usage.BOOKKEEP, interrupt=interrupt)
    fill(reservation, (get_stub(), Usage.KERNEL))
    assert reservation.wait(Usage.BOOKKEEP, interrupt=interrupt)


@pytest.mark.parametrize("timeout_s", [-1, float("nan")])
def test_an_absurd_time_out_is_refused(reservation: Reservation, timeout_s: float) -> None:
    with pytest.raises(ValueError, match="expected 0 or more"):
        reservation.wait(Usage.READ, timeout_s)


def test_who_may_not_block_may_only_look(reservation: Reservation) -> None:
    fence, asker, seen = Fence(), Fence(), list[bool]()
    fill(reservation, (fence, Usage.READ))

    def callback(_: Fence) -> None:
        seen.append(reservation.test_signaled(Usage.READ))
        with pytest.raises(WrongContext, match="it runs the callbacks of a fence"):
            reservation.wait(Usage.READ)
        with pytest.raises(WrongContext, match="it runs the callbacks of a fence"):
            reservation.lock()

    asker.add_callback(callback)
    asker.signal()
    assert seen == [False]
