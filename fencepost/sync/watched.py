"""Plain fields whose reads and writes are steps of a controlled world, only as long as somebody searches.

A fence is asked whether it has signalled without its lock, and that must be fast on real threads. So the class is left
as it is, and `watching` puts descriptors in the place of its fields for as long as an exploration takes. Other threads
of the process go through them too meanwhile: slower, and no different.

A field has a guard, the lock under which it is written. An access by whoever holds the guard is no point, since the
steps of the lock order it against all others that do the same; any other access is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from fencepost.sync.controlled import ControlledWorld
from fencepost.sync.controlled_primitives import ControlledLock
from fencepost.sync.world import ambient

__all__ = ["Fields", "watching"]

Fields: TypeAlias = Mapping[tuple[type, str], Callable[[Any], object]]
"""The class and the field -> what gives the guard of an object of that class."""

UNSET: Final = object()


class WatchedField:
    """Stands in the place of a field."""

    def __init__(self, owner: type, name: str, guard: Callable[[Any], object]) -> None:
        self.owner = owner
        self.name = name
        self.slot: Any = owner.__dict__.get(name)
        self.active = True
        self._guard = guard

    def __get__(self, thing: Any, owner: type | None = None) -> Any:  # noqa: ANN401 - whatever the field holds
        if thing is None:
            return self
        self._step(thing, "read")
        value = self._value(thing)
        if value is UNSET:
            raise AttributeError(self.name)
        return value

    def __set__(self, thing: Any, value: Any) -> None:  # noqa: ANN401
        # Its first value is given to it while it is being made, when nobody else knows it.
        if self._value(thing) is not UNSET:
            self._step(thing, "write")
        if self.slot is None:
            thing.__dict__[self.name] = value
        else:
            self.slot.__set__(thing, value)

    def __delete__(self, thing: Any) -> None:  # noqa: ANN401
        if self.slot is None:
            del thing.__dict__[self.name]
        else:
            self.slot.__delete__(thing)

    def _value(self, thing: Any) -> Any:  # noqa: ANN401
        if self.slot is None:
            return thing.__dict__.get(self.name, UNSET)
        try:
            return self.slot.__get__(thing)
        except AttributeError:
            return UNSET

    def _step(self, thing: Any, action: str) -> None:  # noqa: ANN401
        world = ambient.world
        if self.active and isinstance(world, ControlledWorld):
            guard = self._guard(thing)
            # An observed lock is a wrapper.
            guard = getattr(guard, "inner", guard)
            if isinstance(guard, ControlledLock):
                world.field_step(action, guard, thing)


class Watch:
    """Who is searching at the moment. `lock` protects the other two; a leaf."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.swapped: list[WatchedField] = []


_watch: Final = Watch()


@contextmanager
def watching(fields: Fields) -> Generator[None, None, None]:
    """Make reads and writes of these fields steps of controlled worlds, throughout the body.

    All that are entered at the same time must name the same fields.
    """
    with _watch.lock:
        _watch.users += 1
        if _watch.users == 1:
            _watch.swapped = [WatchedField(owner, name, guard) for (owner, name), guard in fields.items()]
            for field in _watch.swapped:
                setattr(field.owner, field.name, field)
    try:
        yield
    finally:
        with _watch.lock:
            _watch.users -= 1
            if _watch.users == 0:
                for field in _watch.swapped:
                    put_back(field)


def put_back(field: WatchedField) -> None:
    """Give the class its field back, unless somebody has put something in front of it meanwhile."""
    field.active = False
    if field.owner.__dict__.get(field.name) is not field:
        return
    if field.slot is None:
        delattr(field.owner, field.name)
    else:
        setattr(field.owner, field.name, field.slot)
