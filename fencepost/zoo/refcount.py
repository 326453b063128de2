"""Objects that live as long as somebody holds a reference, so that a use after that is noticed.

Python frees nothing that can still be reached; what is freed here stays, poisoned.
"""

from __future__ import annotations

from typing import Final

from fencepost.sync import current
from fencepost.zoo.point import point

__all__ = ["Counted"]

COUNT: Final = frozenset({"_references", "get", "get_unless_zero", "put"})
"""What outlives an object: memory goes after a grace period, in which a reader may find that nobody holds it."""


class Counted:
    """Something with a reference count.

    Life cycle: *alive* (the maker holds the first reference) -> *dying* (the last was put; `release` runs) -> *freed*.
    Each of `get`, `put` and `touch` is a step. Raises AssertionError where the kernel would warn, and in a checked
    world UseAfterFree where it would corrupt memory.

    Args:
        name: what reports call it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._references = 1
        self._used = False

    def get(self) -> None:
        """Take one more reference; whoever calls holds one, or knows that somebody does."""
        point("get", self)
        if not self._references:
            raise AssertionError(f"a reference is taken of {self}, which has none left")
        self._references += 1

    def get_unless_zero(self) -> bool:
        """Take a reference where there is still one; False for an object that is going."""
        point("get", self)
        if self._references:
            self._references += 1
        return self._references > 0

    def put(self) -> None:
        """Give a reference back; with the last one the object goes, right here."""
        point("put", self)
        if not self._references:
            raise AssertionError(f"a reference of {self} is put, which has none left")
        self._references -= 1
        if not self._references:
            self.release()

    def release(self) -> None:
        """Take leave of whatever knows it, then free it. Called by the last put, in its context."""
        self.free()

    def free(self) -> None:
        """Give the memory back."""
        poison = current().poison
        if poison is not None:
            poison(self, COUNT)

    def touch(self) -> None:
        """Use it."""
        point("use", self)
        self._used = True

    def __repr__(self) -> str:
        return self.name
