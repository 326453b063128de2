"""The fences of a reservation: read by anybody at any time, changed by whoever holds the reservation.

A slot is filled before it can be seen, and what is in it is replaced in one step, so that a reader finds either the
old fence or the new one. A slot never moves and never goes: to get rid of fences that have signalled, a new list
takes the place of the old one.

The kernel looks through all slots at each add. Here an index tells the slots of each context, of which there is at
most one for each usage while the fences of a context can be told apart by their numbers. So an add costs the same
however many contexts there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple, Self

from fencepost.fences.context import is_later_or_same
from fencepost.fences.fence import Fence
from fencepost.fences.usage import Usage

__all__ = ["Entry", "FenceList"]

MIN_CAPACITY: Final = 4


class Entry(NamedTuple):
    """A fence of a reservation, and what it is there for."""

    fence: Fence
    usage: Usage


class FenceList:
    """Slots, and an index of them by context and usage.

    Attributes:
        capacity: with more slots than this it is time to look for fences that have signalled.
    """

    __slots__ = ("_index", "_slots", "capacity")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._slots = list(entries)
        self._index: dict[int, list[int]] = {}
        for position, entry in enumerate(self._slots):
            self._positions_of(entry.fence.context).append(position)
        self.capacity = max(MIN_CAPACITY, 2 * len(self._slots))

    def __len__(self) -> int:
        return len(self._slots)

    def up_to(self, usage: Usage) -> Iterator[Entry]:
        """Yield what is there now and has this usage or one before it, signalled or not. Any context.

        Of what is replaced meanwhile, the old or the new.
        """
        return (entry for entry in islice(self._slots, len(self._slots)) if entry.usage <= usage)

    # For whoever holds the reservation.

    def has(self, context: int) -> bool:
        """Say whether there is a fence of a context."""
        return context in self._index

    def covers(self, entry: Entry) -> bool:
        """Say whether whoever would wait for `entry` waits for as much or more already."""
        fence, usage = entry
        return any(
            there <= usage and is_later_or_same(old, fence) and not old.signaled
            for _, (old, there) in self._entries_of(fence)
        )

    def outdated_by(self, entry: Entry) -> int | None:
        """Return the position of a fence that nobody need wait for who waits for `entry`; None when there is none.

        Of several, the one with the nearest usage, so that no usage of a context is there twice.
        """
        fence, usage = entry
        outdated = [
            (there, position)
            for position, (old, there) in self._entries_of(fence)
            if there >= usage and (is_later_or_same(fence, old) or old.signaled)
        ]
        return min(outdated)[1] if outdated else None

    def append(self, entry: Entry) -> None:
        """Put `entry` into a slot of its own."""
        self._positions_of(entry.fence.context).append(len(self._slots))
        self.show(entry)

    def replace(self, context: int, entry: Entry) -> None:
        """Put `entry` into every slot of a context: whichever a reader comes by last, it misses nothing."""
        positions = self._index.pop(context)
        self._positions_of(entry.fence.context).extend(positions)
        for position in positions:
            self.store(position, entry)

    def pending(self) -> Self:
        """Return a list of those that have not signalled, each once."""
        return type(self)(dict.fromkeys(entry for entry in self._slots if not entry.fence.signaled))

    # What readers notice.

    def show(self, entry: Entry) -> None:
        """Let them see one slot more."""
        self._slots.append(entry)

    def store(self, position: int, entry: Entry) -> None:
        """Let them see `entry` where another was."""
        self._slots[position] = entry

    def _positions_of(self, context: int) -> list[int]:
        """Return where the fences of a context are, to be added to."""
        return self._index.setdefault(context, [])

    def _entries_of(self, fence: Fence) -> list[tuple[int, Entry]]:
        """Return what the context of `fence` has, and where."""
        return [(position, self._slots[position]) for position in self._index.get(fence.context, ())]
