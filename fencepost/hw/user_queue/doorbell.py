"""Doorbells: the places in a mapped page that a user writes to, to have the firmware look at a ring."""

from __future__ import annotations

import errno
import heapq
from collections.abc import Callable
from typing import Final

from fencepost.sync import current
from fencepost.sync.observer import as_flag

__all__ = ["DOORBELLS", "DOORBELL_SIZE", "PAGE_SIZE", "Doorbell", "DoorbellPage"]

PAGE_SIZE: Final = 4096
DOORBELL_SIZE: Final = 8
DOORBELLS: Final = PAGE_SIZE // DOORBELL_SIZE


class Doorbell:
    """One doorbell. Rung again before the firmware has answered, it says nothing new: the firmware will look.

    The firmware answers first and looks at the ring afterwards, so what is published before a ring is seen by the look
    that comes of it.

    `_claim` is a lock used as a flag that is tested and set in one step: held while the doorbell is on its way. Nobody
    waits for it.

    Args:
        deliver: tells the firmware; it may only post.
    """

    __slots__ = ("_claim", "_deliver")

    def __init__(self, deliver: Callable[[], object]) -> None:
        self._claim = current().lock()
        as_flag(self._claim)
        self._deliver = deliver

    def ring(self) -> None:
        """Have the firmware look. Never blocks; any context."""
        if self._claim.acquire(False):  # noqa: FBT003 - positional in the protocol
            self._deliver()

    def answer(self) -> None:
        """Note that the firmware is about to look. By the firmware, once for each delivery."""
        self._claim.release()


class DoorbellPage:
    """The page of doorbells that is mapped into one process: 512 of 8 bytes.

    `_lock` protects the free places; a leaf.
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._lock = current().lock()
        self._free = list(range(0, PAGE_SIZE, DOORBELL_SIZE))

    def take(self) -> int:
        """Return the offset of a free doorbell. Raises OSError ENOSPC when there is none."""
        with self._lock:
            if not self._free:
                said = f"the doorbell page of {self._owner} is full: {DOORBELLS} queues, and there can be no more"
                raise OSError(errno.ENOSPC, said)
            return heapq.heappop(self._free)

    def give_back(self, offset: int) -> None:
        """Let another queue have a doorbell."""
        with self._lock:
            heapq.heappush(self._free, offset)
