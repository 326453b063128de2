"""A hardware fence that was stored after the scheduled fence had told of it."""

from __future__ import annotations

from fencepost.actors import Job, Runtime
from fencepost.actors.scheduler_actor import SchedulerActor
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import model_with

__all__ = ["BUG"]


class SchedulerActorAsItWas(SchedulerActor):
    """Signals first."""

    def _tell_scheduled(self, job: Job, parent: Fence | None) -> None:
        job.scheduled.signal(timestamp_ns=job.start_ns)
        if parent is not None:
            job.finished.set_parent(parent)


def model(runtime: Runtime) -> None:
    """Wait until a job is on the hardware, to have the hardware wait for it."""
    job = runtime.scheduler(MockBackend(), name="ring").entity("client").submit(1)
    job.scheduled.wait()
    assert job.finished.parent is not None, "the job is on the hardware and has no hardware fence"


BUG = Bug(
    name="parent-after-scheduled",
    title="drm/sched: Call drm_sched_fence_set_parent() from drm_sched_fence_scheduled()",
    fix="db8b4968a8d0, June 2023",
    symptom="a dependant is given to the hardware with no fence to wait for",
    interleaving="the scheduler signals the scheduled fence; who waits for it goes on and asks for the hardware fence;"
    " only then is that stored",
    repair="store the hardware fence first",
    broken=model_with(model, scheduler_actor=SchedulerActorAsItWas),
    fixed=model,
    finds=frozenset({Kind.ASSERTION}),
)
