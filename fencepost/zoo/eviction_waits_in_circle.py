"""Three who waited for each other: for a fence, a reservation and a memory map."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Preemption, Usage
from fencepost.hw.memory import PAGE_BYTES, MemoryManager, ProcessMemory
from fencepost.sync import Gate
from fencepost.sync.observer import signalling
from fencepost.zoo.bug import Bug
from fencepost.zoo.faulting_gpu import publish

__all__ = ["BUG"]


class Process:
    """A process whose buffer is to be moved."""

    def __init__(self) -> None:
        self.memory = MemoryManager(PAGE_BYTES, PAGE_BYTES)
        self.buffer = self.memory.create(PAGE_BYTES)
        self._map = ProcessMemory()
        self._wanted = Gate("the wish to evict")
        self._eviction = Preemption(self._wanted.open, name="evict worker")
        with self.memory.validated([self.buffer]):
            pass
        publish(self._eviction.fence, self.buffer.reservation)

    def move(self) -> None:
        """Move the buffer once the process does not use it. The memory manager."""
        self.buffer.reservation.wait(Usage.BOOKKEEP)
        self.lock_and_move()

    def lock_and_move(self) -> None:
        """Move the buffer, and wait under its reservation for whoever still uses it."""
        with self.buffer.reservation:
            self.memory.evict(self.buffer)

    def evict(self) -> None:
        """Stop the queues of the process, when somebody wants that."""
        self._wanted.wait()
        with self._map.mmap_lock.read():
            self.stop_queues()
        with signalling():
            self._eviction.suspended()

    def restore(self) -> None:
        """Bring back what an earlier eviction took."""
        with self._map.mmap_lock.write(), self.memory.validated([self.buffer]):
            pass

    def stop_queues(self) -> None:
        """Stand for what needs the map."""


class ProcessAsItWas(Process):
    """Waits for the eviction under the reservation."""

    def move(self) -> None:
        self.lock_and_move()


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
