"""A ring of packets in memory, written by a user and read by the firmware: no lock, no message, two counters."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Final

from fencepost.hw.user_queue.packet import Packet
from fencepost.sync.tracking import published

__all__ = ["MAX_SIZE", "PacketRing", "RingPointer"]

MAX_SIZE: Final = 1 << 20


@published("_value")
class RingPointer:
    """A counter in memory that one side moves and the other reads: who reads a value sees all that was done before."""

    __slots__ = ("_value", "stamp_")

    def __init__(self) -> None:
        self._value = 0

    def load(self) -> int:
        """Read it. Any context."""
        return self._value

    def store(self, value: int) -> None:
        """Move it. By the one side that may."""
        self._value = value


class PacketRing:
    """Holds the packets between the two pointers, which only grow: `wptr - rptr` never exceeds the size.

    The user writes packets and then publishes them, one task at a time. The firmware reads what was published, and
    moves `rptr` when a packet is complete: from then on its place may be written again.

    Args:
        size: how many packets it holds, a power of two.

    Attributes:
        wptr: up to where packets are published. The user's.
        rptr: up to where they are complete. The firmware's.

    Raises OSError EINVAL for another size.
    """

    def __init__(self, size: int) -> None:
        if not 1 <= size <= MAX_SIZE or size & (size - 1):
            raise OSError(errno.EINVAL, f"a ring of {size} packets, expected a power of two up to {MAX_SIZE}")
        self.size = size
        self.wptr = RingPointer()
        self.rptr = RingPointer()
        self._written = 0
        self._packets: list[Packet | None] = [None] * size

    @property
    def room(self) -> int:
        """How many more packets can be written. By the user."""
        return self.size - (self._written - self.rptr.load())

    def write(self, packets: Sequence[Packet]) -> int:
        """Write packets, for which there is room, behind the others; return the number of the last. By the user."""
        assert len(packets) <= self.room
        mask = self.size - 1
        for number, packet in enumerate(packets, start=self._written):
            self._packets[number & mask] = packet
        self._written += len(packets)
        return self._written

    def publish(self) -> None:
        """Show the firmware what was written. By the user, before the doorbell."""
        self.wptr.store(self._written)

    def packet(self, number: int) -> Packet:
        """Return the packet of a number, which counts from 1 and is published and not complete."""
        packet = self._packets[(number - 1) & (self.size - 1)]
        assert packet is not None
        return packet
