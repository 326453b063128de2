"""A job on the hardware that still pointed to the entity it came from.

A model of the kernel's life times: our `Entity.fini` waits for the jobs of the entity, and what is referred to is not
freed.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Gate
from fencepost.zoo.bug import Bug
from fencepost.zoo.refcount import Counted

__all__ = ["BUG"]


class Job:
    """Belongs to an entity until it is popped."""

    def __init__(self, entity: Counted) -> None:
        self.entity: Counted | None = entity
        self.scheduled = Gate("the job on the hardware")


class Scheduler:
    """Takes a job from its entity, and hears when it is done."""

    def run(self, job: Job) -> None:
        self.detach(job)
        job.scheduled.open()

    def detach(self, job: Job) -> None:
        """Let the job forget its entity, which may be freed from now on."""
        job.entity = None

    def done(self, job: Job) -> None:
        """Account the job to its entity if it still has one. Irq context."""
        if job.entity is not None:
            job.entity.touch()


class SchedulerAsItWas(Scheduler):
    """Lets the job point to its entity for good."""

    def detach(self, job: Job) -> None:
        pass


def model(scheduler: Scheduler, runtime: Runtime) -> None:
    """Free an entity whose only job is on the hardware, while that gets done."""
    entity = Counted("entity")
    job = Job(entity)

    def complete() -> None:
        job.scheduled.wait()
        scheduler.done(job)

    runtime.spawn(lambda: scheduler.run(job), "worker")
    runtime.spawn(complete, "device")
    job.scheduled.wait()
    entity.put()


BUG = Bug(
    name="job-keeps-entity",
    title="drm/scheduler: set entity to NULL in drm_sched_entity_pop_job()",
    fix="96c7c2f4d5bd, April 2023",
    symptom="an entity is used after it was freed",
    interleaving="the last job of an entity is popped and runs; the entity has nothing left and is freed; the hardware"
    " is done, and the entity is looked up through the job",
    repair="clear the pointer when the job leaves the queue",
    broken=lambda runtime: model(SchedulerAsItWas(), runtime),
    fixed=lambda runtime: model(Scheduler(), runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
