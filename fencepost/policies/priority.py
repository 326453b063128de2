"""How important an entity is."""

from __future__ import annotations

import enum

__all__ = ["Priority"]


class Priority(enum.IntEnum):
    """Ranks entities against each other; the lower number is the more important one."""

    KERNEL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3
