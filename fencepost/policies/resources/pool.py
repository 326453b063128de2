"""Ids that are handed out and come back."""

from __future__ import annotations

import errno
from collections import OrderedDict
from collections.abc import Collection, Hashable
from itertools import chain, islice

from fencepost.errors import BadInput

__all__ = ["Pool"]


class Pool:
    """So many ids, each of which is free or somebody's. Where the ids do not matter it is a limit.

    An owner is given the ids that it had last, if they are free, else those that were freed least recently: so who
    comes again and again finds things as it left them. (asahi: the slots of the event manager)

    Args:
        name: what reports call the ids, as a plural.
        total: how many there are.

    Raises:
        BadInput: for fewer than one, since whoever wanted any would wait for ever.
    """

    def __init__(self, name: str, total: int) -> None:
        if total < 1:
            raise BadInput(name, str(total), "at least 1")
        self.name = name
        self.total = total
        # Least recently freed first; ordered by hand, since a plain dictionary looks for its first key from the start.
        self._free: OrderedDict[int, None] = OrderedDict.fromkeys(range(total))
        # Of each id that was ever taken: who has it, or had it last. And of each owner: which of those are free.
        self._owners: dict[int, Hashable] = {}
        self._left: dict[Hashable, dict[int, None]] = {}

    @property
    def free(self) -> int:
        """How many are free."""
        return len(self._free)

    def take(self, count: int, owner: Hashable) -> tuple[int, ...]:
        """Give `count` ids to an owner.

        Raises:
            OSError: EINVAL for fewer than one or more than there are, EAGAIN for more than are free.
        """
        if not 1 <= count <= self.total:
            raise OSError(errno.EINVAL, f"{count} {self.name} are wanted, expected 1 to {self.total}")
        if count > len(self._free):
            raise OSError(errno.EAGAIN, f"{count} {self.name} are wanted, {len(self._free)} of {self.total} are free")
        mine = self._left.get(owner, {})
        others = (index for index in self._free if index not in mine)
        ids = tuple(islice(chain(mine, others), count))
        for index in ids:
            del self._free[index]
            self._forget(index)
            self._owners[index] = owner
        return ids

    def give_back(self, ids: Collection[int], owner: Hashable) -> None:
        """Take ids back from their owner: all of them, or none.

        Raises:
            OSError: EINVAL when one of them is not the owner's, or is named twice.
        """
        for index in ids:
            if index not in self._owners or index in self._free or self._owners[index] != owner:
                raise OSError(
                    errno.EINVAL, f"{owner} gives number {index} of the {self.name} back and does not have it"
                )
        if len(set(ids)) != len(ids):
            raise OSError(errno.EINVAL, f"{owner} gives one of the {self.name} back twice: {ids}")
        left = self._left.setdefault(owner, {}) if ids else {}
        for index in ids:
            self._free[index] = None
            left[index] = None

    def _forget(self, index: int) -> None:
        """Have nobody come back for a free id."""
        before = self._owners.get(index)
        left = self._left.get(before)
        if left is not None and index in left:
            del left[index]
            if not left:
                del self._left[before]

    def __repr__(self) -> str:
        return f"<{self.name}, {self.free} of {self.total} free>"
