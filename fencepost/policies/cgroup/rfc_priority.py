"""Static priorities: the first proposal of October 2022.

A group's effective priority is its own on top of its parent's, kept within the range at each level: what goes over the
edge above is not there to be taken back below.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from fencepost.policies.group import MAX_PRIORITY, MIN_PRIORITY, Group

__all__ = ["RfcPriority", "effective_priority", "priority_levels"]

UNLIMITED: Final = 2**32 - 1  # what a process without clients adds to a minimum


def effective_priority(group: Group) -> int:
    """Tell how important the clients of a group are; those of the root are 0."""
    if group.parent is None:
        return 0
    return max(MIN_PRIORITY, min(MAX_PRIORITY, effective_priority(group.parent) + group.priority))


class RfcPriority:
    """Effective priorities as the controller keeps them: worked out when a priority is written.

    Args:
        faithful: as it was posted: a new group counts as 0 until its own or a priority above is changed, because the
            update at its making is left out when nothing changes.
    """

    def __init__(self, *, faithful: bool = False) -> None:
        self._faithful = faithful
        self._effective: dict[Group, int] = {}

    def effective(self, group: Group) -> int:
        """Tell what the controller takes for the group's effective priority."""
        known = self._effective.get(group)
        if known is not None:
            return known
        return 0 if self._faithful else effective_priority(group)

    def write(self, group: Group, priority: int) -> Iterator[tuple[Group, int]]:
        """Set a group's priority, and yield whose clients have to be told which; nobody's if it had that already."""
        if priority == group.priority:
            return
        group.priority = priority
        for each in group.walk():
            assert each.parent is not None
            value = self.effective(each.parent) + each.priority
            self._effective[each] = value = max(MIN_PRIORITY, min(MAX_PRIORITY, value))
            yield each, value

    def forget(self, group: Group) -> None:
        """Keep nothing of a group that was removed."""
        self._effective.pop(group, None)


def priority_levels(processes: Iterable[Sequence[int]], *, faithful: bool = False) -> str:
    """Tell how many priorities all clients of a group can tell apart, with `*` when some can tell more.

    Args:
        processes: for each process of the group, the levels of its clients; 0 for one that has no support.
        faithful: as it was posted: a process without clients after one with some is taken for one that can tell more,
            and so is a mixture with clients that have no support, which shows `0*`.
    """
    if not faithful:
        levels = [each for clients in processes for each in clients]
        if not levels:
            return "n/a"
        least = min(levels)
        return f"{least}*" if least and max(levels) > least else str(least)
    least, mixed = UNLIMITED, False
    for clients in processes:
        own = min(clients, default=UNLIMITED)
        mixed |= len(set(clients)) > 1 or least not in (UNLIMITED, own)
        least = min(least, own)
    if least == UNLIMITED:
        return "n/a"
    return f"{least}*" if mixed else str(least)
