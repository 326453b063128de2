"""Who of those that want things of some pools gets them, and when: the mechanism."""

from __future__ import annotations

import abc
import enum
import errno
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

from fencepost.policies.resources.account import Account, Entry
from fencepost.policies.resources.pool import Pool

__all__ = ["Grab", "Request", "Step", "check_needs"]

W = TypeVar("W", bound=Hashable)


class Step(enum.Enum):
    """What came of one step."""

    TOOK = "has some, and can take another step"
    COMPLETE = "has all"
    SHORT = "waits until it is told"


class Request(Generic[W]):
    """What one wants, and what it has of that.

    Attributes:
        who: that one.
        needs: how many of each pool.
        owner: to whom a pool gives the ids again that it had last.
        held: the ids it has.
        waits: whether it is in a line.
        started: whether it has had all it needs.
    """

    __slots__ = ("held", "needs", "owner", "started", "waits", "who")

    def __init__(self, who: W, needs: Mapping[Pool, int], owner: Hashable) -> None:
        self.who = who
        self.needs = needs
        self.owner = owner
        self.held: dict[Pool, tuple[int, ...]] = {}
        self.waits = self.started = False

    def missing(self, pool: Pool) -> int:
        """Return how many of a pool it still needs."""
        return self.needs[pool] - len(self.held.get(pool, ()))

    @property
    def complete(self) -> bool:
        """Whether it has all it needs."""
        return not any(map(self.missing, self.needs))


class Grab(abc.ABC, Generic[W]):
    """Gives those who want something what they need, step by step. A policy is a subclass.

    `want`, then `step` until it is complete or short. Who is short waits until it is in `told`; then it goes on with
    `step`. `release` ends it, at whatever point. So one who waits needs nobody but those who have something.

    Pure: whoever owns it serialises the calls. Any number of pools may be named, each time others.

    Attributes:
        told: those who waited and should take a step now; the owner empties it after each call.
    """

    def __init__(self) -> None:
        self.told: list[W] = []
        self._requests: dict[W, Request[W]] = {}
        self._lines: dict[Pool, OrderedDict[W, Request[W]]] = {}
        self._starts = self._retreats = 0

    def want(self, who: W, needs: Mapping[Pool, int], owner: Hashable = None) -> Request[W]:
        """Return the request of `who`, made when there is none.

        Args:
            who: one of those that want something.
            needs: how many of each pool; a policy may take them in this order.
            owner: to whom a pool gives the ids again that it had last; None is `who`.

        Raises:
            OSError: EINVAL for what could never be had, or for something else than `who` wants already.
        """
        request = self._requests.get(who)
        if request is None:
            check_needs(who, needs)
            request = self._requests[who] = Request(who, dict(needs), who if owner is None else owner)
        elif request.needs != needs:
            raise OSError(errno.EINVAL, f"{who} wants {in_words(needs)}, and {in_words(request.needs)} already")
        return request

    @abc.abstractmethod
    def step(self, request: Request[W]) -> Step:
        """Take what can be had in one step. One that waits and was not told may try, too."""

    def release(self, who: W) -> bool:
        """Give back whatever `who` has, and want nothing for it any more; False when it wanted nothing."""
        request = self._requests.pop(who, None)
        if request is None:
            return False
        self._leave(request)
        self._put_back(request)
        # Also the pools that it had nothing of: it may have been told of something free, or stood before others.
        self._changed(request.needs)
        return True

    def account(self) -> Account[W]:
        """Tell who has what, and who waits."""
        requests = self._requests.values()
        entries = tuple(
            Entry(each.who, each.needs, {pool: len(ids) for pool, ids in each.held.items()}, each.waits)
            for each in requests
        )
        free = {pool: pool.free for each in requests for pool in each.needs}
        return Account(entries, free, self._starts, self._retreats)

    def held(self, pool: Pool) -> dict[W, int]:
        """Return who has how many of a pool. Any context: what others do meanwhile may show in part."""
        return {each.who: len(ids) for each in list(self._requests.values()) if (ids := each.held.get(pool))}

    # For the policies.

    @abc.abstractmethod
    def _changed(self, pools: Iterable[Pool]) -> None:
        """Deal with what these pools have got back, or with a place that is free in their lines."""

    def _take(self, request: Request[W], pool: Pool, count: int) -> None:
        request.held[pool] = request.held.get(pool, ()) + pool.take(count, request.owner)

    def _take_all(self, request: Request[W]) -> Step:
        """Take everything at once, which was found to be free."""
        for pool in request.needs:
            if count := request.missing(pool):
                self._take(request, pool, count)
        return self._took(request)

    def _took(self, request: Request[W]) -> Step:
        if not request.complete:
            return Step.TOOK
        request.started = True
        self._retreats = 0
        self._starts += 1
        return Step.COMPLETE

    def _put_back(self, request: Request[W]) -> None:
        for pool, ids in request.held.items():
            pool.give_back(ids, request.owner)
        request.held = {}

    def _line_up(self, request: Request[W], pools: Iterable[Pool]) -> Step:
        request.waits = True
        for pool in pools:
            self._lines.setdefault(pool, OrderedDict())[request.who] = request
        return Step.SHORT

    def _line(self, pool: Pool) -> Iterable[Request[W]]:
        """Return those who wait for things of a pool, in the order they came."""
        line = self._lines.get(pool)
        return () if line is None else line.values()

    def _leave(self, request: Request[W]) -> None:
        """Wait no more, in any line."""
        if not request.waits:
            return
        request.waits = False
        for pool in request.needs:
            line = self._lines.get(pool)
            if line is not None and line.pop(request.who, None) is not None and not line:
                del self._lines[pool]

    def _tell(self, request: Request[W]) -> None:
        self._leave(request)
        self.told.append(request.who)


def check_needs(who: object, needs: Mapping[Pool, int]) -> None:
    """Raise OSError(EINVAL) for needs that no pool could ever meet, so that nobody waits for them."""
    for pool, count in needs.items():
        if not 1 <= count <= pool.total:
            raise OSError(errno.EINVAL, f"{who} needs {count} {pool.name}, expected 1 to {pool.total}")


def in_words(needs: Mapping[Pool, int]) -> str:
    """Say how many of what."""
    return ", ".join(f"{count} {pool.name}" for pool, count in needs.items()) or "nothing"
