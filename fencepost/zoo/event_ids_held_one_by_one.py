"""Jobs that took their event ids one at a time, and kept them while they waited for more.

The product has no event ids yet; the model is a pool with a line.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.event_ids import EventIds

__all__ = ["BUG"]

IDS: Final = 4
NEEDED: Final = 3
JOBS: Final = 2


class EventIdsAsTheyWere(EventIds):
    """Come one at a time."""

    def take(self, ids: int) -> None:
        for _ in range(ids):
            self.wait_and_take(1)


def model(ids: EventIds, runtime: Runtime) -> None:
    """Run two jobs, each of which needs more than half of the ids."""

    def run() -> None:
        ids.take(NEEDED)
        ids.give_back(NEEDED)

    for job in range(JOBS):
        runtime.spawn(run, f"job {job}")


BUG = Bug(
    name="event-ids-held-one-by-one",
    title=None,
    fix="a rule of this project; reachable where the sum of (needed - 1) over the jobs is no less than the ids",
    symptom="all ids are held, no job runs",
    interleaving="of four ids, two jobs that need three have taken two each; either waits for one that the other holds",
    repair="take all the event ids of a job in one step",
    broken=lambda runtime: model(EventIdsAsTheyWere(IDS), runtime),
    fixed=lambda runtime: model(EventIds(IDS), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
