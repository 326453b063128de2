"""Deadlocks in which things of some kind are held and waited for, where more than one could end the wait.

Somebody can go on who does not wait, or waits for what nobody can know, or whose wait those who can go on could end,
if they gave back all they have. Who is left when nobody can be added waits for ever. (Holt, "Some Deadlock Properties
of Computer Systems", 1972.)

It is taken that whoever finds enough gets it: where a line must be kept to, a deadlock may be overlooked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

from fencepost.checks.waits import who_ends
from fencepost.sync import Task
from fencepost.sync.resource import Claim

if TYPE_CHECKING:
    from fencepost.checks.observers import TaskWatch

__all__ = ["stuck"]


def stuck(watches: Iterable[TaskWatch]) -> set[object]:
    """Return the tasks, and those on whose behalf tasks act, that wait for each other."""
    waiting: defaultdict[object, set[object]] = defaultdict(set)
    for watch in watches:
        on = watch.task.waiting_on
        if watch.deadline_ns is None and (isinstance(on, Claim) or who_ends(on) is not None):
            waiting[watch.task].add(on)
        for claim in list(watch.world.claims.values()):
            if not isinstance(claim.who, Task):
                waiting[claim.who].add(claim)
    while able := {who for who, waits in waiting.items() if all(can_end(on, waiting) for on in waits)}:
        for who in able:
            del waiting[who]
    return set(waiting)


def can_end(on: object, waiting: Container[object]) -> bool:
    """Say whether a wait could be ended by those who do not wait."""
    if isinstance(on, Claim):
        held = on.resource.held
        return on.count <= on.resource.free + sum(count for who, count in held.items() if who not in waiting)
    return who_ends(on) not in waiting
