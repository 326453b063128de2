"""A list of schedulers and its length, written one by one while an arm read them.

A model of the kernel's entity: ours has a tuple, which cannot disagree with its length.
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
    """May use some rings, given by name. The lock protects their list and its length."""

    def __init__(self, rings: Sequence[str]) -> None:
        self._lock = current().lock()
        self._rings = Cell("list", rings)
        self._count = Cell("length", len(rings))

    def select(self) -> str:
        """Return the best ring, here the one that sorts first."""
        with self._lock:
            count, rings = self._count.load(), self._rings.load()
            return min(rings[index] for index in range(count))

    def modify(self, rings: Sequence[str]) -> None:
        with self._lock:
            self.write(rings)

    def write(self, rings: Sequence[str]) -> None:
        self._rings.store(rings)
        self._count.store(len(rings))


class EntityAsItWas(Entity):
    """Takes no lock."""

    def modify(self, rings: Sequence[str]) -> None:
        self.write(rings)


def model(entity_class: type[Entity], runtime: Runtime) -> None:
    """Choose a ring while the list becomes shorter."""
    entity = entity_class(["ring1", "ring2"])
    runtime.spawn(lambda: entity.modify(["ring2"]), "modifier")
    entity.select()


BUG = Bug(
    name="modify-schedulers-unlocked",
    title="drm/sched: Add locking to drm_sched_entity_modify_sched",
    fix="4286cc2c9539, September 2024",
    symptom="an arm reads beyond the end of the list of schedulers",
    interleaving="the modification stores a shorter list and has not stored its length; the arm takes the new list with"
    " the old length",
    repair="take the lock of the entity",
    broken=lambda runtime: model(EntityAsItWas, runtime),
    fixed=lambda runtime: model(Entity, runtime),
    finds=frozenset({Kind.EXCEPTION}),
)
