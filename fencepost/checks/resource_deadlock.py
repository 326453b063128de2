"""Jobs that hold what they wait for: seen at the moment at which the last of them has to wait.

    watch = ResourceDeadlocks()
    resources = Resources("hold", watches=[watch])
    ...
    assert not watch.found

A job can go on that does not wait, since it runs, or is about to take more; or whose wants could be met if all who can
go on gave back what they hold. Who is left waits for ever: see `claims`, which does the same for tasks. What jobs hold
of other resources, or wait for besides, is not seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable
from typing import Any, TypeVar

from fencepost.checks.resource_watch import ResourceWatch
from fencepost.checks.waits import Stall, Wait
from fencepost.policies.resources import Account, Entry, Pool

__all__ = ["ResourceDeadlocks", "resource_deadlock", "waits_in"]

W = TypeVar("W", bound=Hashable)


class ResourceDeadlocks(ResourceWatch):
    """Reports each set of jobs that hold what they wait for, once; not again for those who get in line behind them."""

    def judge(self, account: Account[Any]) -> Stall | None:
        stall = resource_deadlock(account)
        known = [holders_in(each) for each in self.found]
        return None if stall is None or holders_in(stall) in known else stall


def holders_in(stall: Stall) -> set[str]:
    """Name those in a report that hold something."""
    return {wait.task for wait in stall.waits if wait.held}


def resource_deadlock(account: Account[Any]) -> Stall | None:
    """Say which of those in an account wait for each other, and for what; None when each can get what it needs."""
    those = stuck(account)
    held: Counter[Pool] = Counter()
    for entry in those:
        held.update(entry.held)
    if not held:
        return None
    said = ", ".join(f"{count} of {pool.total} {pool.name}" for pool, count in held.items())
    return Stall(
        f"none of these jobs can start: together they hold {said}, and each is short", waits_in(account, those)
    )


def stuck(account: Account[W]) -> list[Entry[W]]:
    """Return those who wait for what only those who wait could give back."""
    waiting = [entry for entry in account.entries if entry.waits]
    able = [entry for entry in account.entries if not entry.waits]
    within_reach = Counter(account.free)
    while able:
        for entry in able:
            within_reach.update(entry.held)
        able = [each for each in waiting if all(within_reach[pool] >= count for pool, count in each.missing.items())]
        waiting = [each for each in waiting if each not in able]
    return waiting


def waits_in(account: Account[W], those: Collection[Entry[W]]) -> tuple[Wait, ...]:
    """Say of each of those what it waits for, who has that, and what it has itself."""
    return tuple(wait_of(account, entry, pool, count) for entry in those for pool, count in entry.missing.items())


def wait_of(account: Account[W], entry: Entry[W], pool: Pool, count: int) -> Wait:
    """Describe what one of them wants of one pool."""
    holders = {each.who: each.held[pool] for each in account.entries if each.held.get(pool)}
    others = [who for who in holders if who != entry.who]
    by = ", ".join(f"{who} ({held})" for who, held in holders.items())
    on = f"{count} {pool.name}, {account.free[pool]} of {pool.total} free" + (f", held by {by}" if by else "")
    holding = tuple(f"{held} {each.name}" for each, held in entry.held.items())
    return Wait(str(entry.who), on, str(others[0]) if len(others) == 1 else "", holding)
