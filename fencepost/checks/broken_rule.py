"""A breach of the cross-driver rules of fences, as reports tell it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from fencepost.checks.poison import Deed

__all__ = ["BrokenRule", "Tell"]


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule was broken.

    Attributes:
        rule: which, in a few words.
        said: what happened, in one sentence: the objects, the tasks, the places.
        deeds: what was done that must not go together, in the order in which it was.
    """

    rule: str
    said: str
    deeds: tuple[Deed, ...]

    @property
    def place(self) -> str:
        """Which rule, and where in the program."""
        return " and ".join([self.rule, *(" from ".join(map(str, deed.sites)) for deed in self.deeds)])

    def __str__(self) -> str:
        return f"{self.rule}: {self.said}"


Tell: TypeAlias = Callable[[BrokenRule], object]
"""Takes what a rule found."""
