"""Three who waited for each other: for a fence, a reservation and a memory map.

The product has no memory yet; the model has the two locks and the fence.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.sync import current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class Process:
    """A process whose buffer is to be moved.

    `_reservation` protects the buffer, `_mmap` the map of its memory. Order: `_mmap`, then `_reservation`; the fence
    signals only after `_mmap` was taken and given back.
    """

    def __init__(self) -> None:
        self._reservation = current().lock()
        self._mmap = current().lock()
        self._evicted = Fence(name="eviction")

    def move(self) -> None:
        """Move the buffer once the process does not use it."""
        self._evicted.wait()
        with self._reservation:
            self.copy()

    def evict(self) -> None:
        """Stop the queues of the process."""
        with self._mmap:
            self.copy()
        self._evicted.signal()

    def restore(self) -> None:
        """Bring back what an earlier eviction took."""
        with self._mmap, self._reservation:
            self.copy()

    def wait_and_move(self) -> None:
        """As `move`, under the reservation all the time."""
        with self._reservation:
            self._evicted.wait()
            self.copy()

    def copy(self) -> None:
        """Stand for whatever is done under the locks."""


class ProcessAsItWas(Process):
    """Waits for the fence under the reservation."""

    def move(self) -> None:
        self.wait_and_move()


def model(process: Process, runtime: Runtime) -> None:
    """Move, evict and restore at once."""
    runtime.spawn(process.restore, "restore worker")
    runtime.spawn(process.evict, "evict worker")
    runtime.spawn(process.move, "memory manager")


BUG = Bug(
    name="eviction-waits-in-circle",
    title=None,
    fix="ec6abe831a84 (KFD), date and title not known",
    symptom="eviction, restore and memory manager hang",
    interleaving="the memory manager holds the reservation and waits for the eviction's fence; the restore worker has"
    " the memory map and wants the reservation; the evict worker, who would signal, wants the memory map",
    repair="do not hold the reservation while waiting for an eviction",
    broken=lambda runtime: model(ProcessAsItWas(), runtime),
    fixed=lambda runtime: model(Process(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
