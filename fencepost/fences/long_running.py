"""Fences of work that may run for ever: for the inside of a driver, never for anybody else.

They have callbacks, sleepers and errors as any fence, so a scheduler can order, throttle and recover long-running work
by them. But they do not complete in finite time, so nothing that a fence of the usual kind needs may wait for them, and
nobody may get hold of them who takes them for such: see `fencepost.fences.publication`. The mark sits in the number of
the context, so it is there from the start and on every fence of that context.

(The proposal of 2023 to annotate long-running fences, in "Xe DRM scheduler and long running workload plans".)
"""

from __future__ import annotations

from typing import Final

from fencepost.fences.array import FenceArray
from fencepost.fences.context import context_alloc
from fencepost.fences.fence import Fence

__all__ = ["is_long_running", "long_running_context"]

MARK: Final = 1 << 63
"""Set in the numbers of contexts of long-running work; no other context gets that far."""


def long_running_context(count: int = 1) -> int:
    """Reserve `count` consecutive contexts for long-running work and return the first; as `context_alloc`."""
    return MARK | context_alloc(count)


def is_long_running(fence: Fence) -> bool:
    """Say whether `fence`, or a member of it if it is an array, is of long-running work. Any context.

    Not of a chain: whoever made that its points were put into did not make one for long-running work.
    """
    if isinstance(fence, FenceArray):
        return any(member.context & MARK for member in fence.fences)
    return fence.context >= MARK
