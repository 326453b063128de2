"""What takes the place of a part of the product, in a model."""

from __future__ import annotations

import pytest

from fencepost.actors import Entity, Runtime, Scheduler
from fencepost.actors.entity_actor import EntityActor
from fencepost.actors.scheduler_actor import SchedulerActor
from fencepost.hw import MockBackend
from fencepost.hw.guc import Guc, GucQueue
from fencepost.hw.guc.driver_context import DriverContext
from fencepost.hw.guc.suspension import Suspension
from fencepost.hw.guc.tdr import Tdr
from fencepost.zoo.instead import guc_with, model_with


class OtherSuspension(Suspension):
    pass


class OtherQueue(GucQueue):
    pass


class OtherContext(DriverContext):
    pass


class OtherTdr(Tdr):
    pass


def classes_of(guc: Guc) -> list[type]:
    """Run a job on the last engine; return the classes of the queue that it was of, and of its parts."""
    with Runtime("virtual") as rt:
        queue = guc.queue(rt, guc.engines["rcs"][-1])
        assert queue.entity.submit(1).finished.wait(1)
        queue.close()
        made = type(queue)
    return [made, made.context_class, made.suspension_class, made.tdr_class]


def test_a_device_without_anything_else_is_ours() -> None:
    made, *parts = classes_of(guc_with())
    assert issubclass(made, GucQueue)
    assert parts == [DriverContext, Suspension, Tdr]


@pytest.mark.parametrize("rings", [1, 3])
def test_a_device_has_so_many_rings(rings: int) -> None:
    assert guc_with(rings=rings).engines == {"rcs": tuple(f"rcs{ring}" for ring in range(rings))}


def test_a_device_has_other_queues_or_other_parts_of_them() -> None:
    assert classes_of(guc_with(queue=OtherQueue))[0] is OtherQueue
    parts = classes_of(guc_with(context=OtherContext, suspension=OtherSuspension, tdr=OtherTdr))[1:]
    assert parts == [OtherContext, OtherSuspension, OtherTdr]


class OtherEntity(Entity):
    pass


class OtherEntityActor(EntityActor):
    pass


class OtherSchedulerActor(SchedulerActor):
    pass


def test_a_model_has_another_entity_or_other_actors() -> None:
    seen: list[tuple[type, type, type]] = []

    def model(rt: Runtime) -> None:
        scheduler: Scheduler = rt.scheduler(MockBackend())
        entity = scheduler.entity()
        seen.append((type(entity), type(entity.actor), type(scheduler.actor)))

    models = [
        model_with(model, entity=OtherEntity),
        model_with(model, entity_actor=OtherEntityActor),
        model_with(model, scheduler_actor=OtherSchedulerActor),
    ]
    for each in models:
        with Runtime("virtual") as rt:
            each(rt)
    assert seen[0] == (OtherEntity, EntityActor, SchedulerActor)
    assert [actors for _, *actors in seen[1:]] == [
        [OtherEntityActor, SchedulerActor],
        [EntityActor, OtherSchedulerActor],
    ]
