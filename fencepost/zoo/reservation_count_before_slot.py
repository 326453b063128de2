"""A reservation that showed readers one slot more before there was a fence in it.

In the kernel the processor might have swapped the two writes. Ours are one step; here they are two, in that order.
"""

from __future__ import annotations

from typing import cast

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.fences.fence_list import Entry, FenceList
from fencepost.fences.reservation import Reservation, Usage
from fencepost.zoo.bug import Bug
from fencepost.zoo.point import point

__all__ = ["BUG"]


class ListAsItWas(FenceList):
    """Counts first."""

    def show(self, entry: Entry) -> None:
        self._slots.append(cast("Entry", None))
        point("write", self)
        self._slots[-1] = entry


class ReservationAsItWas(Reservation):
    """Has such a list."""

    def __init__(self) -> None:
        super().__init__()
        self._fences = ListAsItWas()


def model(reservation: Reservation, runtime: Runtime) -> None:
    """Read the list while it grows."""
    runtime.spawn(lambda: reservation.get_fences(Usage.READ), "reader")
    with reservation:
        reservation.reserve(1)
        reservation.add(Fence(), Usage.READ)


BUG = Bug(
    name="reservation-count-before-slot",
    title=None,
    fix="72c7d62583eb (dma-resv), May 2025; title not known",
    symptom="a reader follows a pointer to nothing",
    interleaving="the writer's new count is seen; a reader goes that far, and finds an empty slot; the writer's fence"
    " is seen",
    repair="put the barrier between the slot and the count",
    broken=lambda runtime: model(ReservationAsItWas(), runtime),
    fixed=lambda runtime: model(Reservation(), runtime),
    finds=frozenset({Kind.EXCEPTION}),
)
