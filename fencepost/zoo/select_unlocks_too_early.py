"""A choice of scheduler that gave its lock back before it dropped a list with one entry.

A model of the kernel's entity: ours keeps its list.
"""

from __future__ import annotations

from collections.abc import Sequence

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]


class Entity:
    """May use some rings, given by name, and keeps no list when that is one. The lock protects all fields."""

    def __init__(self, rings: Sequence[str]) -> None:
        self._lock = current().lock()
        self._rings: Cell[Sequence[str] | None] = Cell("list", rings)
        self._count = Cell("length", len(rings))
        self.ring = rings[0]

    def select(self) -> None:
        """Place it on the best ring, here the last one, if there is a choice."""
        with self._lock:
            self.choose()
            self.drop_list_of_one()

    def choose(self) -> None:
        rings = self._rings.load()
        if rings is not None:
            self.ring = rings[-1]

    def drop_list_of_one(self) -> None:
        if self._count.load() == 1:
            self._rings.store(None)

    def modify(self, rings: Sequence[str]) -> None:
        with self._lock:
            self._rings.store(rings)
            self._count.store(len(rings))


class EntityAsItWas(Entity):
    """Drops the list without the lock."""

    def select(self) -> None:
        with self._lock:
            self.choose()
        self.drop_list_of_one()


def model(entity_class: type[Entity], runtime: Runtime) -> None:
    """Give an entity other rings while it chooses, then let it choose again."""
    entity = entity_class(["ring1"])
    modifier = runtime.spawn(lambda: entity.modify(["ring2", "ring3"]), "modifier")
    entity.select()
    modifier.join()
    entity.select()
    assert entity.ring == "ring3", f"the new list was lost: the entity is on {entity.ring}"


BUG = Bug(
    name="select-unlocks-too-early",
    title="drm/sched: Fix race in drm_sched_entity_select_rq()",
    fix="d25e3a610bae, October 2025",
    symptom="an entity stays on its ring for ever although it was given others",
    interleaving="the choice drops the lock and reads a length of one; the modification stores a list of two; the"
    " choice drops that list",
    repair="give the lock back after the list was dropped",
    broken=lambda runtime: model(EntityAsItWas, runtime),
    fixed=lambda runtime: model(Entity, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
