"""Jobs that took their event ids one at a time, and gave them back when there were not enough.

The product has no event ids yet; the model is a pool with a line. That nobody starts for so many rounds is taken for
"for ever": the circle is there, and a search that stayed in it until the step limit would only take longer.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.event_ids import EventIds

__all__ = ["BUG"]

IDS: Final = 2
NEEDED: Final = 2
JOBS: Final = 2
ROUNDS: Final = 4


class EventIdsAsTheyWere(EventIds):
    """Are given back by whoever has too few, and wanted again at once."""

    def __init__(self, ids: int) -> None:
        super().__init__(ids)
        self._rounds = 0

    def take(self, ids: int) -> None:
        while not self._take_one_by_one(ids):
            self._rounds += 1
            assert self._rounds < ROUNDS, f"ids were taken and given back {self._rounds} times, and no job has started"
        self._rounds = 0

    def _take_one_by_one(self, ids: int) -> bool:
        """Take so many; False when there were not enough, and none was kept."""
        self.wait_and_take(1)
        for held in range(1, ids):
            if not self.try_take(1):
                self.give_back(held)
                return False
        return True


def model(ids: EventIds, runtime: Runtime) -> None:
    """Run two jobs, each of which needs all of the ids."""

    def run() -> None:
        ids.take(NEEDED)
        ids.give_back(NEEDED)

    for job in range(JOBS):
        runtime.spawn(run, f"job {job}")


BUG = Bug(
    name="event-ids-dropped-when-short",
    title=None,
    fix="a rule of this project; reachable just where holding them would be a deadlock",
    symptom="jobs take and drop ids without end, none runs",
    interleaving="each of two jobs holds one of two ids; the first finds no second, drops its own, and takes it again;"
    " then the second does the same; both are busy, neither gets further",
    repair="take all the event ids of a job in one step",
    broken=lambda runtime: model(EventIdsAsTheyWere(IDS), runtime),
    fixed=lambda runtime: model(EventIds(IDS), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
