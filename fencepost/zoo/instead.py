"""One class put into the place of ours, however deep inside: so an entry says which, and not how to get there."""

from __future__ import annotations

from fencepost.actors import Entity, Runtime, Scheduler
from fencepost.actors.entity_actor import EntityActor
from fencepost.actors.scheduler_actor import SchedulerActor
from fencepost.checks import Model
from fencepost.hw.guc import Guc, GucQueue
from fencepost.hw.guc.driver_context import DriverContext
from fencepost.hw.guc.suspension import Suspension
from fencepost.hw.guc.tdr import Tdr

__all__ = ["guc_with", "model_with"]


def guc_with(
    *,
    rings: int = 1,
    queue: type[GucQueue] | None = None,
    context: type[DriverContext] = DriverContext,
    suspension: type[Suspension] = Suspension,
    tdr: type[Tdr] = Tdr,
) -> Guc:
    """Make a device of `rings` engines of the class rcs with one of these in the place of ours.

    A queue of another class has the parts that it says itself.
    """

    class Queue(GucQueue):
        context_class = context
        suspension_class = suspension
        tdr_class = tdr

    class Device(Guc):
        queue_class = queue or Queue

    return Device({"rcs": rings})


def model_with(
    model: Model,
    *,
    entity: type[Entity] | None = None,
    entity_actor: type[EntityActor] = EntityActor,
    scheduler_actor: type[SchedulerActor] = SchedulerActor,
) -> Model:
    """Make the same model with one of these in the place of ours. An entity of another class says itself who acts."""

    class PatchedEntity(Entity):
        actor_class = entity_actor

    class PatchedScheduler(Scheduler):
        actor_class = scheduler_actor

    def changed(runtime: Runtime) -> None:
        runtime.entity_class = entity or PatchedEntity
        runtime.scheduler_class = PatchedScheduler
        model(runtime)

    return changed
