"""A hard limit to what a group may use of an engine, also when nobody else wants it."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

__all__ = ["BURST_NS", "Cap"]

BURST_NS: Final = 100_000_000
"""What falls due in this time may be used at once. The period of the kernel's `cpu.max`."""


class Cap:
    """A bucket of GPU time that fills with real time, at the rate of the share, and from which each job is paid.

    Who has paid may have gone below zero, as the length of a job is known only when it ends; then it waits until the
    bucket is above zero again. So over any time it uses no more than its share of it, a burst and a job.

    Attributes:
        share: the rate.
    """

    __slots__ = ("_filled_ns", "_level", "share")

    def __init__(self, share: Fraction, now_ns: int) -> None:
        self.share = share
        self._filled_ns = now_ns
        self._level = self._full  # in nanoseconds times the share's denominator, so that it is a whole number

    @property
    def _full(self) -> int:
        return BURST_NS * self.share.numerator

    @property
    def empty(self) -> bool:
        """Whether nothing may be taken."""
        return self._level <= 0

    @property
    def refilled_ns(self) -> int:
        """When it is above zero again, if it is empty."""
        return self._filled_ns + -self._level // self.share.numerator + 1

    def fill(self, now_ns: int) -> None:
        """Let it fill until now. An earlier time than before changes nothing."""
        if now_ns > self._filled_ns:
            self._level = min(self._full, self._level + (now_ns - self._filled_ns) * self.share.numerator)
            self._filled_ns = now_ns

    def pay(self, time_ns: int) -> None:
        """Take from it; below zero gives back."""
        self._level -= time_ns * self.share.denominator
