"""A kill that signalled one of the two fences of a job."""

from __future__ import annotations

from fencepost.actors import Job, Runtime
from fencepost.actors.scheduler_actor import SchedulerActor
from fencepost.checks import Kind
from fencepost.hw import MockBackend
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import model_with

__all__ = ["BUG", "model"]


class SchedulerActorAsItWas(SchedulerActor):
    """Leaves the scheduled fence of a job that never ran as it is."""

    def _finish(self, job: Job, error: int, end_ns: int) -> None:
        if job.scheduled.signaled:
            super()._finish(job, error, end_ns)
        else:
            self.scheduler.load.pop()
            job.finished.signal(error, end_ns)


def model(runtime: Runtime) -> None:
    """Kill a job that waits behind a hog while a job of another entity, on the same ring, depends on it."""
    backend = MockBackend()
    ring = runtime.scheduler(backend, name="ring")
    hog = ring.entity("hog").submit()
    victim = ring.entity("victim")
    awaited = victim.submit(1)
    dependant = ring.entity("dependant").submit(1, deps=[awaited.finished])

    def end_hog() -> None:
        hog.scheduled.wait()
        backend.advance()

    runtime.spawn(end_hog, "device")
    victim.kill()
    dependant.finished.wait()


BUG = Bug(
    name="kill-signals-only-finished",
    title="drm/scheduler: signal scheduled fence when kill job",
    fix="471db2c2d4f8, May 2025",
    symptom="a job that depends on a killed one of the same ring never runs",
    interleaving="the dependant waits for the victim's scheduled fence, since both are on one ring; the victim is"
    " killed before it runs, and only its finished fence signals",
    repair="signal both",
    broken=model_with(model, scheduler_actor=SchedulerActorAsItWas),
    fixed=model,
    finds=frozenset({Kind.DEADLOCK}),
)
