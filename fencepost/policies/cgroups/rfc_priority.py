"""Static priorities: the first proposal of October 2022.

A group's effective priority is its own on top of its parent's, kept within the range at each level: what goes over the
edge above is not there to be taken back below.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from fencepost.policies.group import MAX_PRIORITY, MIN_PRIORITY, Group

__all__ = ["RfcPriority", "effective_priority"]

UNLIMITED: Final = 2**32 - 1  # what a process without clients adds to a minimum


def effective_priority(group: Group) -> int:
    """Tell how important the clients of a group are; those of the root are 0."""
    if group.parent is None:
        return 0
    return _within(effective_priority(group.parent) + group.priority)


class RfcPriority:
    """The priorities of a tree, as its files give them and drivers are told of them.

    Args:
        faithful: as it was posted: effective priorities are worked out when one is written, and kept; so a new group
            counts as 0, whatever is above it, until its own priority or one above is changed.
    """

    def __init__(self, *, faithful: bool = False) -> None:
        self._faithful = faithful
        self._kept: dict[Group, int] = {}

    def effective(self, group: Group) -> int:
        """Tell how important the clients of a group are."""
        return self._kept.get(group, 0) if self._faithful else effective_priority(group)

    def write(self, group: Group, priority: int) -> bool:
        """Set a group's priority; False when it had that already, and nobody needs to hear of it."""
        if priority == group.priority:
            return False
        group.priority = priority
        if self._faithful:
            for each in group.walk():
                assert each.parent is not None
                self._kept[each] = _within(self.effective(each.parent) + each.priority)
        return True

    def forget(self, group: Group) -> None:
        """Keep nothing of a group that was removed."""
        self._kept.pop(group, None)

    def levels(self, processes: Iterable[Sequence[int]]) -> str:
        """Tell how many priorities all clients of a group can tell apart, with `*` when some can tell more.

        Args:
            processes: for each process of the group, the levels of its clients; 0 for one that has no support.
        """
        return posted_levels(processes) if self._faithful else mended_levels(processes)


def mended_levels(processes: Iterable[Sequence[int]]) -> str:
    """Say `0` when there is a client without support."""
    levels = [each for clients in processes for each in clients]
    if not levels:
        return "n/a"
    least = min(levels)
    return f"{least}*" if least and max(levels) > least else str(least)


def posted_levels(processes: Iterable[Sequence[int]]) -> str:
    """Take a process without clients after one with some for one that can tell more; `0*` is possible."""
    least, mixed = UNLIMITED, False
    for clients in processes:
        own = min(clients, default=UNLIMITED)
        mixed |= len(set(clients)) > 1 or least not in (UNLIMITED, own)
        least = min(least, own)
    if least == UNLIMITED:
        return "n/a"
    return f"{least}*" if mixed else str(least)


def _within(priority: int) -> int:
    return max(MIN_PRIORITY, min(MAX_PRIORITY, priority))
