"""What a fence in a reservation is there for, and so who waits for it."""

from __future__ import annotations

import enum

__all__ = ["Usage"]


class Usage(enum.IntEnum):
    """Who asks for a usage gets the fences of that one and of those before it.

    A new reader of the buffer waits for WRITE, a new writer for READ. (kernel: enum dma_resv_usage)
    """

    KERNEL = 0
    """Memory management moves or clears the buffer: everybody waits."""
    WRITE = 1
    """Implicit synchronisation: a submission writes."""
    READ = 2
    """Implicit synchronisation: a submission reads."""
    BOOKKEEP = 3
    """No implicit synchronisation: preemption, page tables, submissions that say themselves what they wait for."""
