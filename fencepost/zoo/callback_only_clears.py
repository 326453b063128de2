"""A dependency callback that left the wake-up to the run of the job that was waited for."""

from __future__ import annotations

from fencepost.actors.entity_actor import EntityActor
from fencepost.actors.job import ScheduledFence
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import model_with
from fencepost.zoo.kill_signals_only_finished import model

__all__ = ["BUG"]


class EntityActorAsItWas(EntityActor):
    """Is woken by a scheduled fence only through the run of its job: the callback itself wakes nobody."""

    def _wake(self, _fence: Fence) -> None:
        if not isinstance(_fence, ScheduledFence) or was_run(_fence):
            super()._wake(_fence)


def was_run(fence: ScheduledFence) -> bool:
    """Say whether the job was handed over: one that was killed has no hardware fence."""
    return fence.finished is not None and fence.finished.parent is not None


BUG = Bug(
    name="callback-only-clears",
    title="drm/sched: Remove optimization that causes hang when killing dependent jobs",
    fix="15f77764e90a, July 2025",
    symptom="an application hangs after another one was killed",
    interleaving="the dependant waits for the victim's scheduled fence, with a callback that wakes nobody because the"
    " run of the victim will; the victim is killed and never runs",
    repair="have one callback, which always wakes",
    broken=model_with(model, entity_actor=EntityActorAsItWas),
    fixed=model,
    finds=frozenset({Kind.DEADLOCK}),
)
