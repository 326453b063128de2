"""How tables spell figures: few digits, one unit a column."""

from __future__ import annotations

__all__ = ["NONE", "count", "figure", "milliseconds", "percent"]

NONE = "-"


def figure(value: float) -> str:
    """Return a value with about three digits that matter, such as `0.052`, `1.50`, `16.7`, `1 234`."""
    size = abs(value)
    for limit, decimals in ((1, 3), (10, 2), (100, 1)):
        if size < limit:
            return f"{value:.{decimals}f}" if value else "0"
    return count(round(value))


def count(value: int) -> str:
    """Return a whole number with its thousands apart."""
    return f"{value:,}".replace(",", " ")


def milliseconds(time_us: float) -> str:
    """Return a time in us as one in ms."""
    return figure(time_us / 1000)


def percent(share: float) -> str:
    """Return a share of 1 in percent."""
    return f"{100 * share:.1f}"
