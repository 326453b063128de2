"""Queues that were killed together, and ran on until the recovery came to each of them."""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime, Steps
from fencepost.checks import Kind
from fencepost.hw import Batch
from fencepost.hw.guc import Guc, GucQueue
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import guc_with

__all__ = ["BUG"]

QUEUES: Final = 2


class QueueAsItWas(GucQueue):
    """Leaves all of it to the recovery."""

    def _disable(self) -> Steps[None]:
        yield from ()


def model(guc: Guc, runtime: Runtime) -> None:
    """Close a file with queues, each with a job on an engine of its own that does not give way."""
    queues = [guc.queue(runtime, f"rcs{engine}") for engine in range(QUEUES)]
    jobs = [queue.entity.submit(work=Batch(0)) for queue in queues]
    for job in jobs:
        job.scheduled.wait()
    for queue in queues:
        queue.kill()
    for job in jobs:
        job.finished.wait()
    busy_ns = {engine.busy_ns for engine in guc.statistics().engines.values()}
    assert len(busy_ns) == 1, "a queue runs on while another one is recovered, and its page tables are gone"


BUG = Bug(
    name="killed-queues-in-line",
    title=None,
    fix="June 2026 (xe); commit and title not known",
    symptom="a closed file brings a cascade of faults and resets",
    interleaving="a file with many queues is closed, and its page tables go; one recovery after the other takes the"
    " queues off their engines; those that still wait for theirs run, and fault",
    repair="disable each when it is killed, by a message that cannot fail, and not when its recovery comes to it",
    broken=lambda runtime: model(guc_with(rings=QUEUES, queue=QueueAsItWas), runtime),
    fixed=lambda runtime: model(guc_with(rings=QUEUES), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
