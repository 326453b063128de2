"""A queue that others could find before it had a ring.

One thread sets up a queue of the product before anybody can find it; so the model is a table of queues, read without a
lock.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]

QUEUES: Final = 2


class Queue:
    """A queue and its ring, None until there is one."""

    def __init__(self) -> None:
        self.ring = Cell[str | None]("ring", None)


class Table:
    """Finds queues by number, without a lock."""

    def __init__(self) -> None:
        self._slots = [Cell[Queue | None](f"slot {number}", None) for number in range(QUEUES)]

    def create(self, number: int) -> None:
        """Make a queue."""
        queue = Queue()
        self.make_ring(queue)
        self.publish(number, queue)

    def make_ring(self, queue: Queue) -> None:
        """Give a queue its ring."""
        queue.ring.store("ring")

    def publish(self, number: int, queue: Queue) -> None:
        """Let others find it."""
        self._slots[number].store(queue)

    def pause(self) -> None:
        """Stop the ring of every queue that can be found."""
        for slot in self._slots:
            queue = slot.load()
            assert queue is None or queue.ring.load() is not None, "a queue was found that has no ring"


class TableAsItWas(Table):
    """Publishes first."""

    def create(self, number: int) -> None:
        queue = Queue()
        self.publish(number, queue)
        self.make_ring(queue)


def model(table: Table, runtime: Runtime) -> None:
    """Pause all queues while some are created."""

    def create() -> None:
        for number in range(QUEUES):
            table.create(number)

    runtime.spawn(create, "client")
    runtime.spawn(table.pause, "migration")


BUG = Bug(
    name="queue-visible-before-its-ring",
    title=None,
    fix="07cf4b864f52 (xe), date and title not known",
    symptom="the pause of a virtual function follows a pointer to nothing",
    interleaving="a client's new queue can be found; the pause walks over all queues and wants the ring of that one;"
    " the client gives it a ring",
    repair="publish a queue when it is complete, with an ordered store",
    broken=lambda runtime: model(TableAsItWas(), runtime),
    fixed=lambda runtime: model(Table(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
