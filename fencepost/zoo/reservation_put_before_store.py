"""A reservation that put the old fence before it stored the new one.

Fences of the product have no references to put; the model has the kernel's.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell
from fencepost.zoo.refcount import Counted

__all__ = ["BUG"]


class Reservation:
    """Holds one fence, which is read without a lock."""

    def __init__(self, fence: Counted) -> None:
        self.slot = Cell("slot", fence)

    def replace(self, fence: Counted) -> None:
        """Put another fence in. One caller at a time."""
        before = self.slot.load()
        self.slot.store(fence)
        before.put()

    def find(self) -> Counted:
        """Return the fence with a reference for the caller; looks again where it came too late for one."""
        dead: Counted | None = None
        while not (fence := self.slot.load()).get_unless_zero():
            assert fence is not dead, "the same dead fence is found again and again"
            dead = fence
        return fence


class ReservationAsItWas(Reservation):
    """Leaves a dead fence in the slot for a moment."""

    def replace(self, fence: Counted) -> None:
        self.slot.load().put()
        self.slot.store(fence)


def model(reservation_class: type[Reservation], runtime: Runtime) -> None:
    """Look the fence up while it is replaced."""
    reservation = reservation_class(Counted("old fence"))
    runtime.spawn(lambda: reservation.find().put(), "reader")
    runtime.spawn(lambda: reservation.replace(Counted("new fence")), "writer")


BUG = Bug(
    name="reservation-put-before-store",
    title="fix busy wait for new shared fences",
    fix="posted on 5 August 2019 (dma-resv); commit not known",
    symptom="readers spin, for as long as the writer is kept from running",
    interleaving="the writer puts the last reference of the old fence; readers find the old fence, can take no"
    " reference, and look again; the writer stores the new one",
    repair="store the new fence, then put the old one",
    broken=lambda runtime: model(ReservationAsItWas, runtime),
    fixed=lambda runtime: model(Reservation, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
