"""Where the memory of a buffer can be."""

from __future__ import annotations

import enum
import errno
from typing import Final

__all__ = ["PAGE_BYTES", "Placement", "check_range"]

PAGE_BYTES: Final = 4096
"""Addresses and sizes are multiples of this."""


class Placement(enum.StrEnum):
    """A kind of memory.

    (kernel: TTM_PL_VRAM, TTM_PL_TT)
    """

    VRAM = "vram"
    SYSTEM = "system"

    @property
    def below(self) -> Placement | None:
        """Where memory goes that is evicted from here; None is a disk, which always has room."""
        return Placement.SYSTEM if self is Placement.VRAM else None


def check_range(address: int, size_bytes: int, what: str) -> None:
    """Raise OSError EINVAL for a range that is empty, begins below 0 or does not consist of whole pages."""
    if size_bytes <= 0 or address < 0 or size_bytes % PAGE_BYTES or address % PAGE_BYTES:
        said = f"{what} at {address:#x} of {size_bytes} bytes, expected whole pages of {PAGE_BYTES}, at least one"
        raise OSError(errno.EINVAL, said)
