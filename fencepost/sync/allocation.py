"""Allocations of memory, as the kernel knows them: what the allocator may do when there is none left."""

from __future__ import annotations

import enum
from typing import Final

from fencepost.sync.observer import listening
from fencepost.sync.world import current

__all__ = ["RECLAIMING", "Allocation", "might_alloc"]


class Allocation(enum.Enum):
    """How badly memory is wanted.

    (kernel: GFP_ATOMIC, GFP_NOWAIT, GFP_NOIO, GFP_NOFS, GFP_KERNEL)
    """

    ATOMIC = "takes from the reserves, or fails"
    NOWAIT = "fails"
    NOIO = "may wait for memory to be freed, but not for disks"
    NOFS = "may wait for memory to be freed, but not for file systems"
    KERNEL = "may wait for whatever frees memory"


RECLAIMING: Final = frozenset({Allocation.NOIO, Allocation.NOFS, Allocation.KERNEL})
"""Those that may wait until memory is free, and so until the fences signal of those who use it."""


def might_alloc(kind: Allocation) -> None:
    """Say that the calling task allocates memory here, or would in a kernel. Any context.

    Where memory is short (see `World.reclaim`), some is freed first if `kind` allows that; this blocks then. Otherwise
    free in an unobserved world. Nothing that Python allocates by itself is seen. (kernel: might_alloc)
    """
    watch = listening()
    if watch is not None:
        watch.hear(kind)
    reclaim = current().reclaim
    if reclaim is not None and kind in RECLAIMING:
        reclaim()
