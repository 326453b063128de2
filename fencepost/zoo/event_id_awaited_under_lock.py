"""A submission that waited for an event while it held the lock which giving events back needs."""

from __future__ import annotations

from fencepost.actors import Job, Runtime
from fencepost.actors.resources import Resources
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.policies.resources import Pool
from fencepost.sync import current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class Gpu(Resources):
    """A GPU with one event. `lock` protects what is on it; it comes before that of the resources."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = current().lock()
        self._events = Pool("events", 1)

    def submit(self, job: Job) -> None:
        """Submit a job, when there is an event for it."""
        self.take_event(job)
        with self.lock:
            put(job)

    def take_event(self, job: Job) -> None:
        """Block until there is an event, and take it."""
        while isinstance(got := self.get(job, {self._events: 1}), Fence):
            got.wait()

    def release(self, job: Job) -> bool:
        """Take a job off the GPU that is complete or hangs, and its event back."""
        with self.lock:
            return super().release(job)


class GpuAsItWas(Gpu):
    """Waits for the event under the lock."""

    def submit(self, job: Job) -> None:
        with self.lock:
            self.take_event(job)
            put(job)


def put(job: Job) -> None:
    """Put a job on the ring."""
    job.arm()
    job.push()


def model(gpu: Gpu, runtime: Runtime) -> None:
    """Submit two jobs, one of which must wait for the other's event."""
    entity = runtime.scheduler(MockBackend(), name="ring").entity("client")
    for _ in range(2):
        gpu.submit(entity.job(duration_us=1))


BUG = Bug(
    name="event-id-awaited-under-lock",
    title=None,
    fix="d9853490176c (etnaviv), date and title not known",
    symptom="a hung GPU stays hung: recovery cannot free its events",
    interleaving="a submission has the lock and waits for an event; the job that holds one is done; to give it back,"
    " the completion or the recovery wants the lock",
    repair="take the event before the lock of the GPU",
    broken=lambda runtime: model(GpuAsItWas(), runtime),
    fixed=lambda runtime: model(Gpu(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
