"""The fields that a search takes for steps: what the product reads without a lock, and what a caller adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Final
from weakref import WeakKeyDictionary

from fencepost.errors import BadInput
from fencepost.fences import Fence, Timeline
from fencepost.sync import Gate, Lock, World, current
from fencepost.sync.timers import Timer
from fencepost.sync.watched import Fields

__all__ = ["WATCHED_FIELDS", "each_access"]

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

_idle: Final[WeakKeyDictionary[World, Lock]] = WeakKeyDictionary()


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
    lock = _idle.get(world)
    if lock is None:
        lock = _idle[world] = world.lock()
    return lock
