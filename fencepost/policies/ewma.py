"""A running average in whole numbers."""

from __future__ import annotations

from typing import Final

__all__ = ["Ewma"]

_PRECISION: Final = 6  # fractional bits
_WEIGHT: Final = 2  # the newest sample counts for 1 / 2**2


class Ewma:
    """Averages samples, the newest for a quarter, in fixed point so that every machine gets the same numbers.

    The first sample is taken as it is. An average that is exactly zero counts as not begun yet, so the sample after it
    is taken as it is too; the kernel's helper spends no bit on the difference either.
    """

    __slots__ = ("_scaled",)

    def __init__(self) -> None:
        self._scaled = 0

    @property
    def value(self) -> int:
        """The average, rounded down; 0 before the first sample."""
        return self._scaled >> _PRECISION

    def add(self, sample: int) -> None:
        """Take a sample, which must not be negative, into the average."""
        old = self._scaled
        new = sample << _PRECISION
        self._scaled = ((old << _WEIGHT) - old + new) >> _WEIGHT if old else new
