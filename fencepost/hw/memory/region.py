"""So much memory of one kind: how much is free, and who has used theirs least recently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fencepost.sync import current
from fencepost.sync.tracking import tracked

if TYPE_CHECKING:
    from fencepost.hw.memory.buffer import BufferObject
    from fencepost.hw.memory.placement import Placement

__all__ = ["Region"]


@tracked("used_bytes")
class Region:
    """The account of one kind of memory. It decides nothing and never blocks; any context.

    `_lock` protects the count and the order; a leaf. (kernel: ttm_resource_manager)

    Args:
        placement: which kind.
        capacity_bytes: how much there is.

    Attributes:
        used_bytes: how much of it is taken.
    """

    def __init__(self, placement: Placement, capacity_bytes: int) -> None:
        self.placement = placement
        self.capacity_bytes = capacity_bytes
        self.used_bytes = 0
        self._lock = current().lock()
        self._lru: dict[BufferObject, None] = {}

    @property
    def free_bytes(self) -> int:
        """How much nobody has."""
        with self._lock:
            return self.capacity_bytes - self.used_bytes

    def take(self, size_bytes: int, buffer: BufferObject | None = None) -> bool:
        """Take so much, for a buffer that comes here if that is what it is for; False when there is less."""
        with self._lock:
            if size_bytes > self.capacity_bytes - self.used_bytes:
                return False
            self.used_bytes += size_bytes
            if buffer is not None:
                self._lru[buffer] = None
            return True

    def give_back(self, size_bytes: int, buffer: BufferObject | None = None) -> None:
        """Give so much back, with the buffer that had it, if any."""
        with self._lock:
            assert size_bytes <= self.used_bytes
            self.used_bytes -= size_bytes
            if buffer is not None:
                del self._lru[buffer]

    def touch(self, buffer: BufferObject) -> None:
        """Note that a buffer that is here is used."""
        with self._lock:
            del self._lru[buffer]
            self._lru[buffer] = None

    def least_recent(self) -> tuple[BufferObject, ...]:
        """Return the buffers that are here or on their way, the one used least recently first."""
        with self._lock:
            return tuple(self._lru)

    def __repr__(self) -> str:
        return f"<{self.placement}, {self.used_bytes} of {self.capacity_bytes} bytes used>"
