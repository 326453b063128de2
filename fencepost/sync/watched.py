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

from fencepost.sync.controlled_primitives import ControlledLock
from fencepost.sync.world import ambient

__all__ = ["Fields", "watching"]

Fields: TypeAlias = Mapping[tuple[type, str], Callable[[Any], object]]
"""The class and the field -> what gives the guard of an object of that class."""


UNSET: Final = object()


class WatchedField:
    """Stands in the place of a field.

    Attributes:
        owner, name: which field.
        hook: the property that stands there: functions that know all they need, since they stand in the way of most of
            what a fence does.
        active: whether accesses are steps; a hook that could not be taken away again does nothing.
    """

    def __init__(self, owner: type, name: str, guard: Callable[[Any], object]) -> None:
        self.owner = owner
        self.name = name
        self.active = True
        self._guard = guard
        # A slot, or a value for those instances that have none in their dictionary, or nothing.
        self._plain: Any = owner.__dict__.get(name, UNSET)
        self._in_slot = hasattr(self._plain, "__set__")
        self.hook = self._hook_of_slot() if self._in_slot else self._hook_of_dictionary()

    def put_back(self) -> None:
        """Give the class its field back, unless somebody has put something in front of it meanwhile."""
        self.active = False
        if self.owner.__dict__.get(self.name) is not self.hook:
            return
        if self._plain is UNSET:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self._plain)

    def _hook_of_slot(self) -> property:
        guard_of, look, change = self._guard, self._look, self._change
        load, store = self._plain.__get__, self._plain.__set__

        def get(thing: Any) -> Any:  # noqa: ANN401 - whatever the field holds
            guard: Any = guard_of(thing)
            if guard.__class__ is not ControlledLock or guard.holder is not guard.world.running:
                look(guard, thing)
            return load(thing)

        def put(thing: Any, value: Any) -> None:  # noqa: ANN401
            change(guard_of(thing), thing)
            store(thing, value)

        return property(get, put, self._plain.__delete__)

    def _hook_of_dictionary(self) -> property:
        name = self.name

        def get(thing: Any) -> Any:  # noqa: ANN401 - whatever the field holds
            self._look(self._guard(thing), thing)
            value = thing.__dict__.get(name, self._plain)
            if value is UNSET:
                raise AttributeError(name)
            return value

        def put(thing: Any, value: Any) -> None:  # noqa: ANN401
            self._change(self._guard(thing), thing)
            thing.__dict__[name] = value

        def delete(thing: Any) -> None:  # noqa: ANN401
            del thing.__dict__[name]

        return property(get, put, delete)

    def _look(self, guard: Any, thing: Any) -> None:  # noqa: ANN401 - any lock, any object
        if guard.__class__ is not ControlledLock:
            # An observed lock is a wrapper.
            guard = getattr(guard, "inner", None)
        if isinstance(guard, ControlledLock) and self.active and guard.world is ambient.world:
            guard.world.read_field(guard, thing)

    def _change(self, guard: Any, thing: Any) -> None:  # noqa: ANN401
        if guard.__class__ is not ControlledLock:
            guard = getattr(guard, "inner", None)
        if isinstance(guard, ControlledLock) and self.active and guard.world is ambient.world:
            world = guard.world
            if guard.holder is world.running or self._is_set(thing):
                world.write_field(guard, thing)

    def _is_set(self, thing: Any) -> bool:  # noqa: ANN401
        """Say whether it has a value. The first is given to it while it is being made, when nobody else knows it."""
        if not self._in_slot:
            return self._plain is not UNSET or self.name in thing.__dict__
        try:
            self._plain.__get__(thing)
        except AttributeError:
            return False
        return True


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
                setattr(field.owner, field.name, field.hook)
    try:
        yield
    finally:
        with _watch.lock:
            _watch.users -= 1
            if _watch.users == 0:
                for field in _watch.swapped:
                    field.put_back()
