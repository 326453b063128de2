"""A job of many event ids that was overtaken by jobs of one, again and again.

The product has no event ids yet; the model is a pool with a line.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.event_ids import EventIds

__all__ = ["BUG"]

IDS: Final = 3
JOB_S: Final = 0.002
STREAMS: Final = 2
JOBS: Final = 6
"""Of each stream."""


class EventIdsAsTheyWere(EventIds):
    """Go to whoever finds enough of them."""

    def take(self, ids: int) -> None:
        self.wait_and_take(ids)


def model(ids: EventIds, runtime: Runtime) -> None:
    """Run a job that needs all ids beside two streams of jobs that need one, half a job apart."""
    waits = False
    overtaken = 0

    def stream(number: int) -> None:
        nonlocal overtaken
        current().sleep(JOB_S * number / STREAMS)
        for _ in range(JOBS):
            ids.take(1)
            overtaken += waits
            current().sleep(JOB_S)
            ids.give_back(1)

    for number in range(STREAMS):
        runtime.spawn(lambda number=number: stream(number), f"stream {number}")  # type: ignore[misc]
    current().sleep(JOB_S)
    waits = True
    ids.take(IDS)
    waits = False
    # Those that stood in the line already.
    assert overtaken <= STREAMS, f"a job that needs all {IDS} ids was overtaken {overtaken} times"
    ids.give_back(IDS)


BUG = Bug(
    name="event-ids-overtaken",
    title=None,
    fix="a rule of this project",
    symptom="a large job starves beside small ones",
    interleaving="whenever a small job gives its id back, another small job takes it; there are never three at a time",
    repair="hand out event ids in the order in which they were asked for",
    broken=lambda runtime: model(EventIdsAsTheyWere(IDS), runtime),
    fixed=lambda runtime: model(EventIds(IDS), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
