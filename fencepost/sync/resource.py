"""Things of one kind that are held and waited for: who has how many, and who wants more.

A ledger and no pool: it decides nothing and never blocks. Its pool tells it under its own lock what was handed out, and
who has to wait does so with the claim as the reason. So whoever reports that nothing moves can say who holds what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fencepost.errors import WrongState
from fencepost.sync.task import Task
from fencepost.sync.world import current

__all__ = ["Claim", "Holdings", "Resource", "claims_in_words"]


class Holdings(Protocol):
    """What a claim has to know of what is claimed: a `Resource`, or what a pool of its own says of itself."""

    @property
    def name(self) -> str: ...

    @property
    def total(self) -> int: ...

    @property
    def free(self) -> int: ...

    @property
    def held(self) -> Mapping[object, int]: ...


class Resource:
    """So many equal things. The one who holds some is a task, or an object on whose behalf tasks act, such as a job.

        with self._lock:
            if self._ids.free >= 2:
                self._ids.take(2, job)
        ...
        waiter.wait(None, self._ids.want(2, job))

    Without `who` the calling task is meant. Any context; the calls of one resource come one at a time.

    Args:
        name: what reports call it, as a plural.
        total: how many there are.

    Attributes:
        free: how many nobody holds.
    """

    def __init__(self, name: str, total: int) -> None:
        self.name = name
        self.total = self.free = total
        self._claims = current().claims
        self._held: dict[object, int] = {}

    @property
    def held(self) -> dict[object, int]:
        """Who holds how many, in the order of their first taking."""
        return dict(self._held)

    def take(self, count: int, who: object = None) -> None:
        """Note that `who` was given `count` of them, and wants none any more.

        Raises WrongState when there are fewer.
        """
        if count > self.free:
            raise WrongState(f"{count} {self.name} are taken, and {self.free} of {self.total} are free")
        who = current().task() if who is None else who
        # In this order, so that one who reads meanwhile takes it for less stuck than it is.
        self._claims.pop((self, who), None)
        self._held[who] = self._held.get(who, 0) + count
        self.free -= count

    def give_back(self, count: int, who: object = None) -> None:
        """Note that `who` returned `count` of them. Raises WrongState for more than it holds."""
        who = current().task() if who is None else who
        left = self._held.get(who, 0) - count
        if left < 0:
            raise WrongState(f"{name_of(who)} gives {count} {self.name} back and holds {left + count}")
        self.free += count
        if left:
            self._held[who] = left
        else:
            self._held.pop(who, None)

    def want(self, count: int, who: object = None) -> Claim:
        """Note that `who` waits until it is given `count` more, which nothing but returns can bring about."""
        who = current().task() if who is None else who
        claim = self._claims[self, who] = Claim(self, who, count)
        return claim

    def withdraw(self, who: object = None) -> None:
        """Note that `who` waits no more. Idempotent."""
        self._claims.pop((self, current().task() if who is None else who), None)

    def __repr__(self) -> str:
        return f"<{self.name}, {self.free} of {self.total} free>"


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody wants more of a resource than is free.

    Attributes:
        resource, who, count: of what, who, how many.
    """

    resource: Holdings
    who: object
    count: int

    @property
    def name(self) -> str:
        """The name of what is wanted."""
        return self.resource.name

    def __str__(self) -> str:
        resource = self.resource
        holders = ", ".join(f"{name_of(who)} ({count})" for who, count in resource.held.items())
        said = f"{self.count} {resource.name}, {resource.free} of {resource.total} free"
        return f"{said}, held by {holders}" if holders else said


def name_of(who: object) -> str:
    """Name one who holds or wants."""
    return who.name if isinstance(who, Task) else str(who)


def claims_in_words(claims: Iterable[Claim]) -> str:
    """Put the claims of those who are no tasks into words, a line each; tasks say themselves what they wait for."""
    return "".join(f"\n  {name_of(each.who)} waits for {each}" for each in claims if not isinstance(each.who, Task))
