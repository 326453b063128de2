"""A queue that ran again because one of two had resumed it."""

from __future__ import annotations

from functools import partial
from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.guc import Bit, Guc
from fencepost.hw.guc.suspension import Suspension
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import guc_with

__all__ = ["BUG"]

HOLDERS_MOVE_US: Final = {"memory eviction": 100, "migration": 300}


class SuspensionAsItWas(Suspension):
    """Remembers only that the queue is suspended."""

    def _without_one(self, holders: int) -> int:
        del holders
        return 0


def model(guc: Guc, runtime: Runtime) -> None:
    """Have two hold a queue for a while, each for reasons of its own."""
    queue = guc.queue(runtime, "rcs0")
    queue.entity.submit(1).finished.wait()

    def hold(moves_us: int) -> None:
        queue.suspend().wait()
        current().sleep(moves_us / 1e6)
        assert not queue.state.has(Bit.ENABLED), "the queue runs, and somebody believes that it is suspended"
        queue.resume()

    for holder, moves_us in HOLDERS_MOVE_US.items():
        runtime.spawn(partial(hold, moves_us), holder)


BUG = Bug(
    name="suspend-not-counted",
    title=None,
    fix="a patch of May 2026, on suspending xe's long-running queues; commit and title not known",
    symptom="memory is moved under a queue that runs",
    interleaving="two suspend the queue; the first resumes it, so it runs; the second goes on as if it did not",
    repair="count who has suspended a queue",
    broken=lambda runtime: model(guc_with(suspension=SuspensionAsItWas), runtime),
    fixed=lambda runtime: model(guc_with(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
