"""Fields that observers hear of: tracked ones must be ordered by something else, published ones order by themselves.

Nothing is added to a class until the first observed world of the process is made; from then on each declared field is
read and written through a function, in every world, which costs about 0.1 us an access where nobody watches. (The
hooks stay, since changing a class again and again makes CPython give up caching its attributes.)

An instance keeps what observers know of its fields in `observed_`, in its dictionary or in a slot of that name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, TypeVar

from fencepost.sync.native import process_lock
from fencepost.sync.world import ambient

__all__ = ["Field", "install_fields", "published", "tracked"]

C = TypeVar("C", bound=type)

STORE: Final = "observed_"
MISSING: Final = object()
NOTHING: Final[Mapping[str, Any]] = {}


class Field:
    """A declared field, and how to get at it behind the hook that stands in its place.

    Attributes:
        owner, name: whose field, and which.
        label: `Class.field`, as reports call it.
        load, store, erase: what reading, writing and deleting it did without the hook.
    """

    def __init__(self, owner: type, name: str) -> None:
        self.owner = owner
        self.name = name
        self.label = f"{owner.__name__}.{name}"
        self.load: Callable[[Any], Any]
        self.store: Callable[[Any, Any], None]
        self.erase: Callable[[Any], None]
        plain = inspect_static(owner, name)
        if hasattr(plain, "__set__"):
            self.load, self.store, self.erase = plain.__get__, plain.__set__, plain.__delete__
        else:
            self._keep_in_dictionary(plain)

    def _keep_in_dictionary(self, default: object) -> None:
        name, owner = self.name, self.owner

        def load(thing: Any) -> Any:  # noqa: ANN401 - any object, any value
            value = thing.__dict__.get(name, default)
            if value is MISSING:
                raise AttributeError(f"{owner.__name__!r} object has no attribute {name!r}", name=name, obj=thing)
            return value

        def store(thing: Any, value: Any) -> None:  # noqa: ANN401
            thing.__dict__[name] = value

        def erase(thing: Any) -> None:  # noqa: ANN401
            del thing.__dict__[name]

        self.load, self.store, self.erase = load, store, erase

    @staticmethod
    def states(thing: Any) -> dict[str, Any]:  # noqa: ANN401 - any object
        """Return what observers keep of the fields of `thing`, by field name."""
        states: dict[str, Any] | None = getattr(thing, STORE, None)
        if states is None:
            states = {}
            object.__setattr__(thing, STORE, states)
        return states

    def __repr__(self) -> str:
        return f"<field {self.label}>"


# The hooks are properties with everything they need in closures: half the price of a descriptor class.


def tracking_hook(field: Field) -> property:
    """Make what stands in the place of a tracked field: it tells of each access."""
    load, store = field.load, field.store

    def get(thing: Any) -> Any:  # noqa: ANN401 - any object, any value
        observed = ambient.world.observed
        if observed is not None:
            observed.touch(thing, field, writes=False)
        return load(thing)

    def put(thing: Any, value: Any) -> None:  # noqa: ANN401
        observed = ambient.world.observed
        if observed is not None:
            observed.touch(thing, field, writes=True)
        store(thing, value)

    return property(get, put, field.erase)


def publishing_hook(field: Field) -> property:
    """Make what stands in the place of a published field: a read acquires what the write released."""
    load, store, name, states = field.load, field.store, field.name, field.states

    def get(thing: Any) -> Any:  # noqa: ANN401 - any object, any value
        value = load(thing)
        # After the value: who sees it must also see the stamp, which was there first.
        if value and (told := getattr(thing, STORE, NOTHING).get(name)) is not None:
            observed, stamp = told
            observed.here().acquire(stamp)
        return value

    def put(thing: Any, value: Any) -> None:  # noqa: ANN401
        if value and (observed := ambient.world.observed) is not None:
            states(thing)[name] = (observed, observed.here().release())
        store(thing, value)

    return property(get, put, field.erase)


Hook: TypeAlias = "Callable[[Field], property]"

_declared: list[tuple[type, str, Hook]] = []
"""The fields without a hook. Filled at import, emptied by the first observed world and those after it."""

_installed: set[tuple[type, str]] = set()
"""The fields that have one."""

_installing = process_lock()
"""Held while hooks are put in place, so that nobody goes on before they are; a leaf."""


def tracked(*names: str) -> Callable[[C], C]:
    """Declare fields of a class whose unordered use is a race. A class decorator.

    Only whole fields are seen: changing a list that a field refers to reads the field.

    Raises TypeError for instances that have neither a dictionary nor a slot called `observed_`, ValueError for no
    names.
    """
    return declaration(names, tracking_hook)


def published(*names: str) -> Callable[[C], C]:
    """Declare fields of a class that are read without a lock on purpose. A class decorator; raises as `tracked`.

    Who reads a true value sees all that was done before it was written. A false one means "not yet" and tells nothing.
    """
    return declaration(names, publishing_hook)


def declaration(names: tuple[str, ...], hook: Hook) -> Callable[[C], C]:
    """Make the class decorator that declares fields which get this hook."""
    if not names:
        raise ValueError("no fields named, expected at least one")

    def declare(owner: C) -> C:
        if not owner.__dictoffset__ and not hasattr(owner, STORE):
            raise TypeError(f"{owner.__name__} keeps no dictionary: give it a slot called {STORE!r}")
        _declared.extend((owner, name, hook) for name in names)
        return owner

    return declare


def install_fields() -> None:
    """Put the hooks of all fields that were declared so far in their place. By each observed world that is made."""
    with _installing:
        while _declared:
            owner, name, hook = _declared.pop()
            if (owner, name) not in _installed:
                _installed.add((owner, name))
                setattr(owner, name, hook(Field(owner, name)))


def inspect_static(owner: type, name: str) -> Any:  # noqa: ANN401 - whatever stands there
    """Return what a class or its bases hold under a name, as it is; MISSING when there is nothing."""
    return next((base.__dict__[name] for base in owner.__mro__ if name in base.__dict__), MISSING)
