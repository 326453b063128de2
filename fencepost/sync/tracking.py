"""Fields that observers hear of: tracked ones must be ordered by something else, published ones order by themselves.

Nothing is added to a class until the first observed world of the process is made; from then on each declared field is
read and written through a function, in every world, which costs about 0.05 us an access while nobody observes. (The
hooks stay, since changing a class again and again makes CPython give up caching its attributes.)

An instance keeps what observers know of its tracked fields in `observed_`, and the stamp of its published one in
`stamp_`: in its dictionary or in slots of these names. (Until there is a stamp, an observer may keep in its place what
can be unpacked like one.) What observed programs do most is done right in the hook: a task
that uses a field again, and nobody else did in between, brings its last trace up to date. The observer hears of the
rest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from fencepost.sync.native import process_lock
from fencepost.sync.world import ambient

if TYPE_CHECKING:
    from fencepost.sync.observed import ObservedLock

__all__ = ["STAMP", "Field", "FieldState", "Trace", "frame_above", "install_fields", "published", "tracked"]

C = TypeVar("C", bound=type)

TRACES: Final = "observed_"
STAMP: Final = "stamp_"
MISSING: Final = object()

frame_above: Final = sys._getframe  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
"""Gives the frame so many calls up; 0 is the caller. What `inspect` would do, and nothing else gives it as fast."""


class Trace:
    """What a read or a write leaves at a field: who, when, where, holding what."""

    __slots__ = ("code", "held", "instruction", "time", "watch", "writes")

    def __init__(self, watch: Any, code: CodeType, instruction: int, *, writes: bool) -> None:  # noqa: ANN401 - see `Watch`
        self.watch = watch
        self.code = code
        self.instruction = instruction
        self.held: tuple[ObservedLock, ...] = watch.held
        self.time: int = watch.time
        self.writes = writes


NEVER: Final = object.__new__(Trace)
"""What nobody left: only who it was can be asked."""

NEVER.watch = NEVER


class FieldState:
    """What is remembered of one field of one object.

    Attributes:
        watched_by: the observer that remembers.
        write: the last one.
        reads: since then, by the place of the task.
        own_read: the one of `reads` that came last: what its task reads again is in order with all writes.
        own_write: the last write, while only its task has used the field since: what that writes again is in order.
    """

    __slots__ = ("own_read", "own_write", "reads", "watched_by", "write")

    def __init__(self, watched_by: object) -> None:
        self.watched_by = watched_by
        self.write: Trace | None = None
        self.reads: dict[int, Trace] = {}
        self.own_read = NEVER
        self.own_write = NEVER


class Field:
    """A declared field, and how to get at it behind the hook that stands in its place.

    Attributes:
        owner, name: whose field, and which.
        label: `Class.field`, as reports call it.
        behind: the name under which the value is kept, behind the hook.
    """

    def __init__(self, owner: type, name: str) -> None:
        self.owner = owner
        self.name = name
        self.label = f"{owner.__name__}.{name}"
        self.behind = f"{name} (observed)"
        plain = inspect_static(owner, name)
        self._in_dictionary = not hasattr(plain, "__set__")
        if self._in_dictionary:
            self._default = plain
        else:
            setattr(owner, self.behind, plain)

    def from_before(self, thing: Any) -> Any:  # noqa: ANN401 - any object, any value
        """Return what a field was before there was a hook, or by default; raise AttributeError when it is not there."""
        value = thing.__dict__.get(self.name, self._default) if self._in_dictionary else MISSING
        if value is MISSING:
            raise AttributeError(
                f"{self.owner.__name__!r} object has no attribute {self.name!r}", name=self.name, obj=thing
            )
        return value

    def erase(self, thing: Any) -> None:  # noqa: ANN401
        """Delete the field of an instance."""
        if self._in_dictionary:
            thing.__dict__.pop(self.name, None)
        delattr(thing, self.behind)

    @staticmethod
    def states(thing: Any) -> dict[str, Any]:  # noqa: ANN401 - any object
        """Return what observers keep of the fields of `thing`, by field name."""
        states: dict[str, Any] | None = getattr(thing, TRACES, None)
        if states is None:
            states = {}
            object.__setattr__(thing, TRACES, states)
        return states

    def hook(self, get: Callable[[Any], Any], put: Callable[[Any, Any], None]) -> property:
        """Make a property of two functions that call the value `behind`.

        Each gets code of its own in which that is the name of an attribute, so that CPython finds it as fast as one
        that was written there.
        """
        for function in (get, put):
            assert isinstance(function, FunctionType)
            code = function.__code__
            names = tuple(self.behind if name == "behind" else name for name in code.co_names)
            function.__code__ = code.replace(co_names=names)
        return property(get, put, self.erase)

    def __repr__(self) -> str:
        return f"<field {self.label}>"


# The hooks are properties with everything they need in closures: half the price of a descriptor class.


def tracking_hook(field: Field) -> property:
    """Make what stands in the place of a tracked field: it tells of each access."""
    return field.hook(tracked_read(field), tracked_write(field))


def tracked_read(field: Field) -> Callable[[Any], Any]:
    """Make the reading half of a tracking hook."""
    name, from_before = field.name, field.from_before

    def get(thing: Any) -> Any:  # noqa: ANN401 - any object, any value
        if observing:
            watch: Any = ambient.watch
            try:
                own = thing.observed_[name].own_read
            except (AttributeError, KeyError):
                own = NEVER
            if own.watch is not watch:
                if (observed := ambient.world.observed) is not None:
                    observed.touch(thing, field, writes=False)
            elif own.time != watch.time:
                # The time last: who compares now sees an older one, and
                # what is not ordered with that is not ordered with the new one either.
                frame = frame_above(1)
                own.code = frame.f_code
                own.instruction = frame.f_lasti
                own.held = watch.held
                own.time = watch.time
        try:
            return thing.behind
        except AttributeError:
            return from_before(thing)

    return get


def tracked_write(field: Field) -> Callable[[Any, Any], None]:
    """Make the writing half of a tracking hook."""
    name = field.name

    def put(thing: Any, value: Any) -> None:  # noqa: ANN401 - any object, any value
        if observing:
            watch: Any = ambient.watch
            try:
                own = thing.observed_[name].own_write
            except (AttributeError, KeyError):
                own = NEVER
            if own.watch is not watch:
                if (observed := ambient.world.observed) is not None:
                    observed.touch(thing, field, writes=True)
            elif own.time != watch.time:
                # As in `tracked_read`.
                frame = frame_above(1)
                own.code = frame.f_code
                own.instruction = frame.f_lasti
                own.held = watch.held
                own.time = watch.time
        thing.behind = value

    return put


def publishing_hook(field: Field) -> property:
    """Make what stands in the place of a published field: a read acquires what the write released."""
    return field.hook(published_read(field), published_write())


def published_read(field: Field) -> Callable[[Any], Any]:
    """Make the reading half of a publishing hook."""
    from_before = field.from_before

    def get(thing: Any) -> Any:  # noqa: ANN401 - any object, any value
        try:
            value = thing.behind
        except AttributeError:
            value = from_before(thing)
        if value and observing:
            # After the value: who sees it must also see the stamp, which was there first.
            try:
                writer, stamp = thing.stamp_
            except AttributeError:
                return value
            watch = ambient.watch
            if watch is not writer:
                if watch is None or watch.world is not writer.world:
                    watch = writer.world.here()
                watch.acquire(stamp)
        return value

    return get


def published_write() -> Callable[[Any, Any], None]:
    """Make the writing half of a publishing hook."""

    def put(thing: Any, value: Any) -> None:  # noqa: ANN401 - any object, any value
        if value and observing:
            watch = ambient.watch
            if watch is None and (observed := ambient.world.observed) is not None:
                watch = observed.here()
            if watch is not None:
                thing.stamp_ = watch, watch.publish(thing)
        thing.behind = value

    return put


observing: Final[set[object]] = set()
"""The observed worlds that are in use."""

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
    if not names:
        raise ValueError("no fields named, expected at least one")
    return declaration(names, tracking_hook, TRACES)


def published(name: str) -> Callable[[C], C]:
    """Declare the one field of a class that is read without a lock on purpose. A class decorator.

    Who reads a true value sees all that was done before it was written. A false one means "not yet" and tells nothing.

    Raises TypeError for instances that have neither a dictionary nor a slot called `stamp_`.
    """
    return declaration((name,), publishing_hook, STAMP)


def declaration(names: tuple[str, ...], hook: Hook, kept_in: str) -> Callable[[C], C]:
    """Make the class decorator that declares fields which get this hook."""

    def declare(owner: C) -> C:
        if not owner.__dictoffset__ and not hasattr(owner, kept_in):
            raise TypeError(f"{owner.__name__} keeps no dictionary: give it a slot called {kept_in!r}")
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
