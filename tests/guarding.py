"""Things that notice when a field is touched without the lock that protects it."""

from __future__ import annotations

from typing import Any, TypeVar, cast

__all__ = ["guarded", "guarding_ended"]

T = TypeVar("T")


def guarded(owner: type[T], fields: str, *args: object, **options: object) -> T:
    """Make one of those whose fields, from now on, nobody may touch without its `_lock`.

    It does not see whether who touches is who holds: one task at a time is what it is for. Who must not come between
    is the business of searches.
    """
    kept = frozenset(fields.split())

    def check(thing: object, name: str) -> None:
        if name in kept and object.__getattribute__(thing, "guarding"):
            assert object.__getattribute__(thing, "_lock").locked(), f"{name} without the lock"

    def read(thing: object, name: str) -> object:
        check(thing, name)
        return object.__getattribute__(thing, name)

    def write(thing: object, name: str, value: object) -> None:
        check(thing, name)
        object.__setattr__(thing, name, value)

    guard = type(owner.__name__, (owner,), {"guarding": False, "__getattribute__": read, "__setattr__": write})
    made: Any = guard(*args, **options)
    made.guarding = True
    return cast("T", made)


def guarding_ended(thing: object) -> None:
    """Let everybody touch everything again: where one task is left, locks are not needed."""
    cast("Any", thing).guarding = False
