"""Variables that tasks share without a lock: every read and every write is a step.

Atomic where one task runs at a time, which is where the zoo lives.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from fencepost.zoo.point import point

__all__ = ["Cell", "Counter"]

T = TypeVar("T")


class Cell(Generic[T]):
    """One variable. `name` is what reports call it."""

    def __init__(self, name: str, value: T) -> None:
        self._name = name
        self._value = value

    def load(self) -> T:
        """Read it."""
        point("read", self)
        return self._value

    def store(self, value: T) -> None:
        """Write it."""
        point("write", self)
        self._value = value

    def exchange(self, value: T) -> T:
        """Write it and return what was there, in one step."""
        point("exchange", self)
        before, self._value = self._value, value
        return before

    def replace(self, expected: T, value: T) -> bool:
        """Write it where `expected` stands there, in one step; False when it does not."""
        point("exchange", self)
        matches = self._value == expected
        if matches:
            self._value = value
        return matches

    def __repr__(self) -> str:
        return self._name


class Counter(Cell[int]):
    """One number."""

    def add(self, change: int) -> int:
        """Add to it and return what it is now, in one step."""
        point("add", self)
        self._value += change
        return self._value
