"""The dma-fence family: promises that work will be complete.

    fence       one promise: callbacks, sleepers, an error, a timestamp
    hooked      a fence that asks its owner
    context     timelines of fences, and which of two is later
    several     waiting for any of several, signalling all
    timeline    fences at the points of a counter that software moves

Usable alone, without a scheduler. Only `fencepost.sync` stands below.
"""

from __future__ import annotations

from fencepost.fences.context import context_alloc, is_later, is_later_or_same, later
from fencepost.fences.fence import Fence, get_stub
from fencepost.fences.hooked import HookedFence
from fencepost.fences.several import wait_any
from fencepost.fences.timeline import Timeline

__all__ = [
    "Fence",
    "HookedFence",
    "Timeline",
    "context_alloc",
    "get_stub",
    "is_later",
    "is_later_or_same",
    "later",
    "wait_any",
]
