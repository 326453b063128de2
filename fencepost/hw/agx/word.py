"""A word of the memory that driver and firmware share."""

from __future__ import annotations

from fencepost.sync.tracking import published

__all__ = ["Word"]


@published("value")
class Word:
    """Written by one side, read by the other without a lock: who sees a value sees all that was written before it.

    Attributes:
        value: what stands in it.
    """

    __slots__ = ("stamp_", "value")

    def __init__(self, value: int = 0) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"<Word {self.value:#x}>"
