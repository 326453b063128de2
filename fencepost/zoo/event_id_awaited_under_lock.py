"""A submission that waited for an event id while it held the lock which giving ids back needs.

The product has no event ids yet; the model is a pool with a line.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.event_ids import EventIds

__all__ = ["BUG"]


class IdsOfJobs(EventIds):
    """Are held by what is on the ring, whoever put it there."""

    def holder(self) -> object:
        return "the ring"


class Gpu:
    """A GPU with one event id. `_lock` protects its ring. Order: event id, then lock."""

    def __init__(self) -> None:
        self._lock = current().lock()
        self._ids = IdsOfJobs(1)
        self.on_ring = current().mailbox("ring")

    def submit(self, job: str) -> None:
        """Put a job on the ring."""
        self._ids.take(1)
        with self._lock:
            self.on_ring.put(job)

    def retire(self) -> None:
        """Take a job off the ring when it is done."""
        self.on_ring.get()
        with self._lock:
            self._ids.give_back(1)


class GpuAsItWas(Gpu):
    """Waits for the id under the lock."""

    def submit(self, job: str) -> None:
        with self._lock:
            self._ids.take(1)
            self.on_ring.put(job)


def model(gpu: Gpu, runtime: Runtime) -> None:
    """Submit two jobs, one of which must wait for the other's id."""

    def retire() -> None:
        gpu.retire()
        gpu.retire()

    runtime.spawn(retire, "irq worker")
    gpu.submit("first")
    gpu.submit("second")


BUG = Bug(
    name="event-id-awaited-under-lock",
    title=None,
    fix="d9853490176c (etnaviv), date and title not known",
    symptom="a hung GPU stays hung: recovery cannot free its events",
    interleaving="a submission has the lock and waits for an event; the job that holds one is done; to give it back,"
    " the irq worker or the recovery wants the lock",
    repair="take the event before the lock of the GPU",
    broken=lambda runtime: model(GpuAsItWas(), runtime),
    fixed=lambda runtime: model(Gpu(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
