"""Event slots: the words in which the firmware tells how far it has come with a work queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fencepost.hw.agx.word import Word
from fencepost.policies.resources import Pool

if TYPE_CHECKING:
    from fencepost.hw.agx.work_queue import WorkQueue

__all__ = ["STEP", "EventSlot", "EventSlots", "passed"]

STEP: Final = 0x100
"""By how much a stamp grows with each command."""

MASK: Final = (1 << 32) - 1
SIGN: Final = 1 << 31


def passed(stamp: int, value: int) -> bool:
    """Say whether a stamp has come to a value; both are 32 bits wide and wrap round, so their difference decides."""
    return not (stamp - value) & SIGN


def advanced(stamp: int) -> int:
    """Return the stamp after one command more."""
    return (stamp + STEP) & MASK


class EventSlot:
    """One slot. It keeps its stamp when it passes from one owner to the next.

    Attributes:
        index: its number.
        stamp: written by the firmware.
        owner: the work queue that it tells of, or None.
    """

    __slots__ = ("index", "owner", "stamp")

    def __init__(self, index: int) -> None:
        self.index = index
        self.stamp = Word()
        self.owner: WorkQueue | None = None

    def __repr__(self) -> str:
        return f"<EventSlot {self.index} {self.stamp.value:#x}>"


class EventSlots:
    """All slots of a device. Belongs to the driver, which brings the lock.

    Args:
        count: how many there are.
    """

    def __init__(self, count: int) -> None:
        self._slots = tuple(EventSlot(index) for index in range(count))
        self._pool = Pool("event slots", count)

    def __len__(self) -> int:
        return len(self._slots)

    def __getitem__(self, index: int) -> EventSlot:
        return self._slots[index]

    @property
    def free(self) -> int:
        """How many are free."""
        return self._pool.free

    def take(self, owner: WorkQueue) -> EventSlot | None:
        """Give the slot that the owner had last if nobody had it since, else the least recently freed; None if none is.

        (asahi: slotalloc)
        """
        if not self._pool.free:
            return None
        (index,) = self._pool.take(1, owner)
        slot = self._slots[index]
        slot.owner = owner
        return slot

    def give_back(self, slot: EventSlot) -> None:
        """Take a slot back from its owner."""
        self._pool.give_back((slot.index,), slot.owner)
        slot.owner = None
