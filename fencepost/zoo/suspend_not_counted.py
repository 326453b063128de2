"""A queue that ran again because one of two had resumed it.

The product does not suspend queues yet; the model is one that several may suspend.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

HOLDERS: Final = ("memory eviction", "migration")


class Queue:
    """Runs unless somebody holds it. `_lock` protects how many do."""

    def __init__(self) -> None:
        self._lock = current().lock()
        self._holders = 0

    def suspend(self) -> None:
        """Hold it."""
        with self._lock:
            self._holders += 1

    def resume(self) -> None:
        """Let go of it."""
        with self._lock:
            self._holders = self.without_one(self._holders)

    def without_one(self, holders: int) -> int:
        """Return how many hold it when one of them lets go."""
        return holders - 1

    def runs(self) -> bool:
        """Say whether nobody holds it."""
        with self._lock:
            return self._holders == 0


class QueueAsItWas(Queue):
    """Remembers only that it is suspended."""

    def without_one(self, holders: int) -> int:
        del holders
        return 0


def model(queue: Queue, runtime: Runtime) -> None:
    """Have two hold a queue for a while, each for reasons of its own."""

    def hold() -> None:
        queue.suspend()
        assert not queue.runs(), "the queue runs, and somebody believes that it is suspended"
        queue.resume()

    for holder in HOLDERS:
        runtime.spawn(hold, holder)


BUG = Bug(
    name="suspend-not-counted",
    title=None,
    fix="a patch of May 2026, on suspending xe's long-running queues; commit and title not known",
    symptom="memory is moved under a queue that runs",
    interleaving="two suspend the queue; the first resumes it, so it runs; the second goes on as if it did not",
    repair="count who has suspended a queue",
    broken=lambda runtime: model(QueueAsItWas(), runtime),
    fixed=lambda runtime: model(Queue(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
