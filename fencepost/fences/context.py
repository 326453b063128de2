"""Fence contexts and the order of fences within one.

A context is a timeline of fences: within it, sequence numbers say which of two completes later. Numbers of different
contexts say nothing about each other.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from fencepost.sync.native import process_lock

if TYPE_CHECKING:
    from fencepost.fences.fence import Fence

__all__ = ["context_alloc", "is_later", "is_later_or_same", "later"]

HALF_RANGE = 1 << 31
SEQNO_MASK = (1 << 32) - 1

_next_context = itertools.count(1)
"""Unique over all worlds of the process, since a fence of one may be a dependency in another. 0 is the stub's."""

_allocation = process_lock()
"""Protects `_next_context`; a leaf."""


def context_alloc(count: int = 1) -> int:
    """Reserve `count` consecutive context numbers and return the first. Any context.

    Raises ValueError when `count` is below 1. (kernel: dma_fence_context_alloc)
    """
    if count < 1:
        raise ValueError(f"{count} fence contexts asked for, expected at least 1")
    with _allocation:
        first = next(_next_context)
        for _ in range(count - 1):
            next(_next_context)
    return first


def is_later(one: Fence, other: Fence) -> bool:
    """Say whether `one` completes after `other`; both are of one context.

    Sequence numbers are 32 bits wide and wrap round; of two that are exactly half the range apart neither is later.
    Raises ValueError for fences of different contexts. (kernel: dma_fence_is_later)
    """
    if one.context != other.context:
        raise ValueError(f"{one!r} and {other!r} are of different contexts: their numbers cannot be compared")
    ahead = (one.seqno - other.seqno) & SEQNO_MASK
    return 0 < ahead < HALF_RANGE


def is_later_or_same(one: Fence, other: Fence) -> bool:
    """Say whether `one` is `other` or completes after it. Raises as `is_later`."""
    return one is other or is_later(one, other)


def later(one: Fence, other: Fence) -> Fence | None:
    """Return whichever completes later, or None when that one has signalled (so both have).

    Raises as `is_later`. (kernel: dma_fence_later)
    """
    last = one if is_later(one, other) else other
    return None if last.signaled else last
