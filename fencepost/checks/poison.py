"""Freed means poisoned: what was given back refuses to be used, and says who freed it and who came after.

Python frees nothing that can still be reached. What a program means by "freed" it says by the `poison` of its world,
which is there in checked worlds only. The instance then gets a class of its own kind that refuses, so nothing is looked
up on the way of those who use what is alive. Who looks from outside of that world, after its end for instance, is no
user.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Any, Final

from fencepost.checks.sites import Site, is_innards, site_of, trail_outside
from fencepost.errors import UseAfterFree
from fencepost.sync import World, current
from fencepost.sync.tracking import frame_above

__all__ = ["Poison", "UseOfFreed"]

SITES_KEPT: Final = 3


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody did something to an object.

    Attributes:
        what, task: what and who.
        trail: of `trail_outside`.
    """

    what: str
    task: str
    trail: tuple[tuple[CodeType, int], ...]

    @property
    def sites(self) -> tuple[Site, ...]:
        """Where, the innermost line first."""
        return tuple(site_of(code, instruction) for code, instruction in self.trail)

    def __str__(self) -> str:
        return f"{self.what} by {self.task} at {' from '.join(map(str, self.sites))}"


@dataclass(frozen=True, slots=True)
class UseOfFreed:
    """An object was used after it had been freed.

    Attributes:
        thing: the object, as it called itself when it was freed.
        freed, used: by whom and where.
    """

    thing: str
    freed: Deed
    used: Deed

    @property
    def place(self) -> str:
        """Where in the program."""
        return f"{self.freed.sites[0]} and {self.used.sites[0]}"

    def __str__(self) -> str:
        return f"use after free of {self.thing}: {self.used}; {self.freed}"


class Poison:
    """The `poison` of a world.

    Any task may call it. What it remembers of an object it finds by the object's identity: an entry is looked at by
    whoever touches a poisoned object, which is alive then, so it is that object's own.

    Args:
        report: called with each use, before that raises.
    """

    def __init__(self, report: Callable[[UseOfFreed], object] | None = None) -> None:
        self._report = report
        self._freed: dict[int, tuple[str, Deed, World]] = {}
        self._classes: dict[tuple[type, frozenset[str]], type] = {}

    def __call__(self, thing: object, kept: frozenset[str] = frozenset()) -> None:
        """Have every use of `thing` raise UseAfterFree from now on, except of the attributes in `kept`.

        It goes on to say of itself what it said last. Raises UseAfterFree when it was freed before, TypeError for an
        instance of a class that cannot be changed.
        """
        owner = type(thing)
        if issubclass(owner, Poisoned):
            owner.refuse(thing, "freed again")
            return
        self._freed[id(thing)] = repr(thing), deed("freed"), current()
        thing.__class__ = self._classes.get((owner, kept)) or self._poisoned(owner, kept)

    def _refuse(self, thing: object, what: str) -> None:
        said, freed, world = self._freed[id(thing)]
        if current() is not world:
            return
        use = UseOfFreed(said, freed, deed(what))
        if self._report is not None:
            self._report(use)
        raise UseAfterFree(str(use), use.place)

    def _poisoned(self, owner: type, kept: frozenset[str]) -> type:
        """Make the class of freed instances of `owner`."""

        # What Python itself asks of every object is no use of it, and neither is what a report asks.
        def get(thing: object, name: str) -> Any:  # noqa: ANN401 - any attribute
            if not (name in kept or name.startswith("__") or is_innards(frame_above(1))):
                self._refuse(thing, f"{name} read")
            return object.__getattribute__(thing, name)

        def put(thing: object, name: str, value: object) -> None:
            if name not in kept:
                self._refuse(thing, f"{name} written")
            object.__setattr__(thing, name, value)

        def erase(thing: object, name: str) -> None:
            self._refuse(thing, f"{name} deleted")
            object.__delattr__(thing, name)

        def said(thing: object) -> str:
            return self._freed[id(thing)][0]

        body: dict[str, Any] = {
            "__slots__": (),
            "__getattribute__": get,
            "__setattr__": put,
            "__delattr__": erase,
            "__repr__": said,
            "refuse": self._refuse,
        }
        # Another task that makes one at the same time has its own, which is as good.
        poisoned = self._classes[owner, kept] = type(owner)(owner.__name__, (owner, Poisoned), body)
        return poisoned


class Poisoned:
    """What all classes of freed instances have in common."""

    __slots__ = ()

    refuse: Callable[[object, str], None]


def deed(what: str) -> Deed:
    """Describe what the calling task does."""
    return Deed(what, current().task().name, trail_outside(frame_above(1), SITES_KEPT))
