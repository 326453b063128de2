"""A poll of a reservation that turned "no time" into the shortest sleep there is, and then slept it."""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.fences.interrupt import Interrupt
from fencepost.fences.reservation import Reservation, Usage
from fencepost.sync import now_ns
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

TICK_S: Final = 0.004


class ReservationAsItWas(Reservation):
    """Returns at least 1 for "all have signalled", so it begins with 1 where there is no time."""

    def wait(self, usage: Usage, timeout_s: float | None = None, *, interrupt: Interrupt | None = None) -> bool:
        return super().wait(usage, TICK_S if timeout_s == 0 else timeout_s, interrupt=interrupt)


def model(reservation: Reservation, runtime: Runtime) -> None:
    """Poll while nothing signals."""
    with reservation:
        reservation.reserve(1)
        reservation.add(Fence(), Usage.WRITE)

    def poll() -> None:
        began_ns = now_ns()
        assert not reservation.wait(Usage.WRITE, 0)
        assert now_ns() == began_ns, "a poll slept"

    runtime.spawn(poll, "poller")


BUG = Bug(
    name="reservation-poll-sleeps",
    title="fix timeout handling in dma_resv_wait_timeout v2",
    fix="posted on 29 January 2025 (dma-resv); commit not known",
    symptom="who only asks whether a buffer is idle sleeps for a tick, and again for each fence",
    interleaving="a poll finds a pending fence; it has made one tick of no time, since a success must not look like a"
    " time-out, and hands that down to the wait for the fence",
    repair="hand the time down as it is, and make at least 1 of what is returned",
    broken=lambda runtime: model(ReservationAsItWas(), runtime),
    fixed=lambda runtime: model(Reservation(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
