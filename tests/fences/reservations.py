"""What the tests of reservations share."""

from __future__ import annotations

import pytest

from fencepost.fences import Fence
from fencepost.fences.reservation import Reservation, Usage

__all__ = ["EACH_USAGE", "everything", "fill"]

EACH_USAGE = pytest.mark.parametrize("usage", Usage, ids=lambda usage: usage.name)


def fill(reservation: Reservation, *entries: tuple[Fence, Usage]) -> None:
    """Add these."""
    with reservation:
        reservation.reserve(len(entries))
        for fence, usage in entries:
            reservation.add(fence, usage)


def everything(reservation: Reservation) -> list[tuple[Fence, Usage]]:
    """Return what is there, signalled or not."""
    with reservation:
        return list(reservation.iterate(Usage.BOOKKEEP))
