"""A push to a killed entity that was refused, and left an armed job to nobody."""

from __future__ import annotations

from fencepost.actors import Entity, Job, Runtime
from fencepost.checks import Kind
from fencepost.hw import MockBackend
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import model_with

__all__ = ["BUG"]


class EntityAsItWas(Entity):
    """Takes nothing after it was killed, and tells nobody."""

    def push(self, job: Job) -> None:
        if not self.killed:
            super().push(job)


def model(runtime: Runtime) -> None:
    """Submit a job, as its kind of ioctl does, while the process is killed."""
    entity = runtime.scheduler(MockBackend(), name="ring").entity("client")
    job = entity.job(duration_us=1)
    job.arm()
    runtime.spawn(entity.kill, "flush")
    job.push()
    job.finished.wait()


BUG = Bug(
    name="push-after-kill-is-refused",
    title="drm/amdgpu: fix task hang from failed job submission during process kill",
    fix="aa5fc4362fac, August 2025",
    symptom="a task waits for ever for a fence of its own process",
    interleaving="a job is armed, so its fences are promised; the flush of the dying process kills the entity; the push"
    " is refused, and nobody is left to signal the fences",
    repair="look whether the entity is killed before a job is armed for it",
    broken=model_with(model, entity=EntityAsItWas),
    fixed=model,
    finds=frozenset({Kind.DEADLOCK}),
)
