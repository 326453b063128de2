"""What a check over several steps finds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something at the step `index` that does not fit the other steps."""

    index: int
    found: str
    expected: str
