"""Who has what, who wants what: a look at the pools, for those who judge."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from fencepost.policies.resources.pool import Pool

__all__ = ["Account", "Entry"]

W = TypeVar("W", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Entry(Generic[W]):
    """One who wants something of some pools.

    Attributes:
        who: that one.
        needs: how many of each pool, in all.
        held: how many it has.
        waits: whether it was told to wait, and not since to come again.
    """

    who: W
    needs: Mapping[Pool, int]
    held: Mapping[Pool, int]
    waits: bool

    @property
    def missing(self) -> dict[Pool, int]:
        """What it does not have yet."""
        return {pool: need - held for pool, need in self.needs.items() if (held := self.held.get(pool, 0)) < need}

    @property
    def complete(self) -> bool:
        """Whether it has all it needs."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class Account(Generic[W]):
    """All that there was at one moment.

    Attributes:
        entries: those who wanted something and have not given it back, in the order they came.
        free: how many of each pool that any of them needs nobody had.
        starts: how often somebody got the last it needed.
        retreats: how often, since then, somebody gave things back because it could not get more.
    """

    entries: tuple[Entry[W], ...]
    free: Mapping[Pool, int]
    starts: int
    retreats: int
