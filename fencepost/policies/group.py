"""A control group: one node of the tree by which GPU time is divided."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

__all__ = ["DEFAULT_WEIGHT", "MAX_PRIORITY", "MAX_WEIGHT", "MIN_PRIORITY", "MIN_WEIGHT", "Group"]

MIN_WEIGHT: Final = 1
MAX_WEIGHT: Final = 10_000
DEFAULT_WEIGHT: Final = 100
MIN_PRIORITY: Final = -10_000
MAX_PRIORITY: Final = 10_000


class Group:
    """What a person has set for some clients, and for the groups below.

    It belongs to whoever keeps the tree, and only they write to it. A run queue takes a group's weight and cap when it
    meets the group, and later ones from its own owner's calls; so it may read an old value when a new one is just being
    written, and is told of the new one after that.

    Attributes:
        name: what a person calls it; the root has none.
        parent: the group it is in, or None.
        children: the groups in it, by name, oldest first.
        weight: its part of the parent's time, against those of its siblings.
        priority: how much more important it is than its parent.
        max_share: how much of an engine it may use, even when nobody else wants it; None is all.
    """

    __slots__ = ("children", "max_share", "name", "parent", "priority", "weight")

    def __init__(self, name: str = "", parent: Group | None = None) -> None:
        self.name = name
        self.parent = parent
        self.children: dict[str, Group] = {}
        self.weight = DEFAULT_WEIGHT
        self.priority = 0
        self.max_share: Fraction | None = None
        if parent is not None:
            if name in parent.children:
                raise ValueError(f"{parent!r} has a child {name!r} already")
            parent.children[name] = self

    @property
    def path(self) -> str:
        """Its name after those of its ancestors; `/` for the root."""
        if self.parent is None:
            return "/"
        return f"{self.parent.path.rstrip('/')}/{self.name}"

    def walk(self) -> Iterator[Group]:
        """Yield itself and everything below, parents before their children."""
        yield self
        for child in self.children.values():
            yield from child.walk()

    def remove(self) -> None:
        """Take it out of the tree.

        Raises:
            ValueError: it is the root, or has children.
        """
        if self.parent is None or self.children:
            raise ValueError(f"{self!r} cannot be removed: it is {'not empty' if self.children else 'the root'}")
        del self.parent.children[self.name]

    def __repr__(self) -> str:
        return f"<Group {self.path}>"
