"""The controlled world with an observer: what a search runs, a race detector sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from fencepost.sync.controlled import ControlledTask, ControlledWorld, Search
from fencepost.sync.controlled_primitives import ControlledLock
from fencepost.sync.observed import Observed, ObservedLock, ObservedMailbox, ObservedTask

if TYPE_CHECKING:
    from fencepost.sync.observer import Observer, Stamp
    from fencepost.sync.primitives import Lock
    from fencepost.sync.tracking import Field

__all__ = ["ObservedControlledWorld"]


class ObservedControlledTask(ObservedTask, ControlledTask):
    """A greenlet that is observed."""

    __slots__ = ()


class Stamped:
    """A message on its way, with the stamp of its sender. Looks like the message to whoever puts steps into words."""

    __slots__ = ("item", "stamp")

    def __init__(self, stamp: Stamp, item: object) -> None:
        self.stamp = stamp
        self.item = item

    @property
    def message(self) -> object:
        return getattr(self.item, "message", self.item)

    @property
    def reply_to(self) -> object:
        return getattr(self.item, "reply_to", None)

    def __iter__(self) -> Iterator[object]:
        return iter((self.stamp, self.item))


class ObservedControlledMailbox(ObservedMailbox):
    """A mailbox whose messages the account of a schedule can read."""

    __slots__ = ()

    def put(self, item: object, /) -> None:
        self._put(Stamped(self._world.here().release(), item))


class ObservedControlledWorld(Observed, ControlledWorld):
    """A controlled world that is observed, and in which each access to a tracked field is a point.

    Args:
        observer: who watches. One observer watches one world.
        search, clock_slack_ns, step_limit, words: as of `ControlledWorld`.
    """

    mailbox_class = ObservedControlledMailbox
    task_class = ObservedControlledTask

    def __init__(
        self,
        observer: Observer,
        search: Search,
        *,
        clock_slack_ns: int | None = 0,
        step_limit: int = 20_000,
        words: Callable[[object, str], str] | None = None,
    ) -> None:
        super().__init__(search, clock_slack_ns=clock_slack_ns, step_limit=step_limit, words=words)
        self.watch_by(observer)

    def _observed_lock(self) -> Lock:
        # Not by `super()` either, see `touch`.
        inner = self._plain_lock()
        lock = ObservedLock(self, inner)
        self.observer.new_lock(lock)
        assert isinstance(inner, ControlledLock)
        if self._words is not None:
            # What the account of the schedule calls it: otherwise its maker would be the observed world.
            self._things[inner.number] = (inner, lock.kind.name.partition(" (")[0])
        return lock

    def touch(self, thing: object, field: Field, *, writes: bool) -> None:
        self.point("write" if writes else "read", thing, field.label)
        # Not by `super()`: the observer looks for the toucher so many frames up.
        self.here().touch(thing, field, writes=writes)
