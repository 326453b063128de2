"""The fields that a search takes for steps: what the product reads without a lock, and what a caller adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Final

from fencepost.errors import BadInput
from fencepost.fences import Fence, Syncobj, Timeline
from fencepost.sync import Gate, current
from fencepost.sync.timers import Timer
from fencepost.sync.watched import Fields

__all__ = ["WATCHED_FIELDS", "each_access"]

WATCHED_FIELDS: Final[Fields] = MappingProxyType(
    {
        (Fence, "_state"): attrgetter("_lock"),
        (Gate, "_open"): attrgetter("_lock"),
        (Timeline, "_reached"): attrgetter("_lock"),
        (Timeline, "_closed"): attrgetter("_lock"),
        (Syncobj, "_fence"): attrgetter("_lock"),
        (Timer, "_function"): attrgetter("_timers.lock"),
    }
)
"""What says whether a fence has signalled, a gate is open, how far a timeline is, what is in a syncobj, and whether a
timer is armed.
"""

IDLE_LOCK: Final = "idle lock"


def each_access(fields: Mapping[type, str]) -> Fields:
    """Make every access to these fields a step, whatever lock is held.

    Raises BadInput for what is no field of a class whose fields are known: one with `__slots__`.
    """
    return {(owner, name): guarded_by_nobody for owner, names in fields.items() for name in checked(owner, names)}


def checked(owner: type, names: str) -> Iterator[str]:
    for name in names.split():
        if name not in owner.__dict__ and not owner.__dictoffset__:
            raise BadInput(f"fields of {owner.__name__}", repr(name), "a field that the class itself has")
        yield name


def guarded_by_nobody(_thing: object) -> object:
    """Give the lock of this world that nobody ever takes."""
    world = current()
    # With the world, which it knows: from a table of ours neither would ever go.
    own = vars(world)
    lock = own.get(IDLE_LOCK)
    if lock is None:
        lock = own[IDLE_LOCK] = world.lock()
    return lock
