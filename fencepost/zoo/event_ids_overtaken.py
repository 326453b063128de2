"""A job of many event ids that was overtaken by jobs of one, again and again."""

from __future__ import annotations

from functools import partial
from typing import Final

from fencepost.actors import Entity, Runtime
from fencepost.actors.resources import Resources
from fencepost.checks import Kind
from fencepost.policies.resources import Pool
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.event_ids import Needy

__all__ = ["BUG"]

IDS: Final = 3
JOB_US: Final = 2000
STREAMS: Final = 2
JOBS: Final = 4
"""Of each stream."""


def model(grab: str, runtime: Runtime) -> None:
    """Run a job that needs all ids beside two streams of jobs that need one, half a job apart."""
    ids, resources = Pool("event ids", IDS), Resources(grab)

    def entity(name: str) -> Entity:
        return runtime.scheduler(Needy(resources), name=f"ring of {name}").entity(name)

    def stream(number: int) -> None:
        mine = entity(f"stream {number}")
        sleep_us(JOB_US * number / STREAMS)
        for _ in range(JOBS):
            mine.submit(JOB_US, work={ids: 1}).finished.wait()

    for number in range(STREAMS):
        runtime.spawn(partial(stream, number), f"stream {number}")
    large = entity("large")
    sleep_us(JOB_US * 3 / 4)
    before_ns = current().now_ns()
    large.submit(JOB_US, work={ids: IDS}).scheduled.wait()
    waited_us = (current().now_ns() - before_ns) / 1000
    assert waited_us <= JOB_US, f"a job that needs all {IDS} ids has waited for {waited_us:.0f} us"


def sleep_us(duration_us: float) -> None:
    """Block for so long."""
    current().sleep(duration_us / 1e6)


BUG = Bug(
    name="event-ids-overtaken",
    title=None,
    fix="a rule of this project",
    symptom="a large job starves beside small ones",
    interleaving="whenever a small job gives its id back, another small job takes it; there are never three at a time",
    repair="hand out event ids in the order in which they were asked for",
    broken=lambda runtime: model("atomic", runtime),
    fixed=lambda runtime: model("fifo", runtime),
    finds=frozenset({Kind.ASSERTION}),
)
