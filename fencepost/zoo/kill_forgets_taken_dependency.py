"""A kill that waited for all dependencies but the one that the job was waiting for already."""

from __future__ import annotations

from fencepost.actors.entity_actor import EntityActor
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import model_with
from fencepost.zoo.kill_ignores_dependencies import model

__all__ = ["BUG"]


class EntityActorAsItWas(EntityActor):
    """Goes on behind the dependency that was taken out to be waited for."""

    def _rewind(self) -> None:
        pass


BUG = Bug(
    name="kill-forgets-taken-dependency",
    title="drm/sched: Make sure we wait for all dependencies in kill_jobs_cb()",
    fix="e30cb0599799, June 2023",
    symptom="memory is used again while a job still writes to it",
    interleaving="the entity takes the copy out of the dependencies of the draw and waits for it; it is killed; the"
    " kill goes through what is left of the dependencies, which is nothing, and the fence of the draw signals",
    repair="keep the dependency in the list while it is waited for",
    broken=model_with(model, entity_actor=EntityActorAsItWas),
    fixed=model,
    finds=frozenset({Kind.ASSERTION}),
)
