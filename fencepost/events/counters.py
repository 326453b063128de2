"""What a ring holds, over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from fencepost.events.kinds import JOB_DONE, JOB_QUEUE, JOB_RUN, Event

__all__ = ["Level", "ring_levels"]


class Level(NamedTuple):
    """What a ring holds from a moment on.

    Attributes:
        queued_jobs: pushed and not handed over, of all entities; those whose push is not among the events do not count.
        credits_in_use: by the jobs that were handed over.
    """

    time_ns: int
    ring: str
    queued_jobs: int
    credits_in_use: int


class _Ring:
    """The credits of a job are how much more the event of its run says than was in use before."""

    def __init__(self) -> None:
        self.queued: set[tuple[int, int]] = set()
        self.credits: dict[tuple[int, int], int] = {}
        self.in_use = 0

    def run(self, fence: tuple[int, int], in_use: int) -> None:
        self.queued.discard(fence)
        self.credits[fence] = max(0, in_use - self.in_use)
        self.in_use = in_use

    def done(self, fence: tuple[int, int]) -> None:
        self.queued.discard(fence)
        self.in_use -= self.credits.pop(fence, 0)


def ring_levels(events: Iterable[Event]) -> Iterator[Level]:
    """Yield the level of a ring at each event that changes it. The events are in the order of their times."""
    rings: dict[str, _Ring] = {}
    for event in events:
        time_ns, kind = event[:2]
        if kind not in (JOB_QUEUE, JOB_RUN, JOB_DONE):
            continue
        name: str = event[2]
        ring = rings.setdefault(name, _Ring())
        if kind == JOB_QUEUE:
            ring.queued.add(event[5:7])
        elif kind == JOB_RUN:
            ring.run(event[5:7], event[8])
        else:
            ring.done(event[3:5])
        yield Level(time_ns, name, len(ring.queued), ring.in_use)
