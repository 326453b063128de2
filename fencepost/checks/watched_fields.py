"""The fields that the product reads without their locks, which a search takes for steps."""

from __future__ import annotations

from operator import attrgetter
from types import MappingProxyType
from typing import Final

from fencepost.fences import Fence, Timeline
from fencepost.sync import Gate
from fencepost.sync.timers import Timer
from fencepost.sync.watched import Fields

__all__ = ["WATCHED_FIELDS"]

WATCHED_FIELDS: Final[Fields] = MappingProxyType(
    {
        (Fence, "_state"): attrgetter("_lock"),
        (Gate, "_open"): attrgetter("_lock"),
        (Timeline, "_reached"): attrgetter("_lock"),
        (Timeline, "_closed"): attrgetter("_lock"),
        (Timer, "_function"): attrgetter("_timers.lock"),
    }
)
"""What says whether a fence has signalled, a gate is open, how far a timeline is, and whether a timer is armed."""
