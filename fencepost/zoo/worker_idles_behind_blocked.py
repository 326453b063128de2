"""A worker that chose one entity, found its jobs blocked, and went to sleep."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.actors.scheduler_actor import SchedulerActor
from fencepost.checks import Kind
from fencepost.hw import MockBackend
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import model_with

__all__ = ["BUG"]


class SchedulerActorAsItWas(SchedulerActor):
    """Looks at the leftmost entity and, when that has nothing ready, at no other."""

    def _run(self) -> None:
        head = self._run_queue.head
        if head is None or head.ready:
            super()._run()


def model(runtime: Runtime) -> None:
    """Have a job of one entity wait for a job of another on the same ring."""
    ring = runtime.scheduler(MockBackend(), name="ring", policy="fifo")
    awaited = ring.entity("free").submit(1)
    dependant = ring.entity("blocked").submit(1, deps=[awaited.finished])
    dependant.finished.wait()


BUG = Bug(
    name="worker-idles-behind-blocked",
    title="drm/sched: Drain all entities in DRM sched run job worker",
    fix="66dbd9004a55, January 2024, drm/amd#3124; soon after, the worker queued itself again instead",
    symptom="the desktop freezes",
    interleaving="the worker chooses an entity whose job is blocked, and goes to sleep; the other entity has a ready"
    " job, and it is the one that the blocked job waits for",
    repair="try all entities before going to sleep",
    broken=model_with(model, scheduler_actor=SchedulerActorAsItWas),
    fixed=model,
    finds=frozenset({Kind.DEADLOCK}),
)
