"""A trace point that read a dependency which its callback might have cleared.

A model of the kernel's entity: a callback of ours clears nothing, it posts a message.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]

ENTITIES: Final = 3


class Entity:
    """Waits for one dependency at a time, and traces which."""

    def __init__(self) -> None:
        self._dependency: Cell[Fence | None] = Cell("dependency", None)

    def depend_on(self, fence: Fence) -> None:
        self._dependency.store(fence)
        self.trace()
        fence.add_callback(self.clear)

    def trace(self) -> None:
        fence = self._dependency.load()
        assert fence is not None, "the trace point follows a null pointer"

    def clear(self, _fence: Fence) -> None:
        self._dependency.store(None)


class EntityAsItWas(Entity):
    """Traces last."""

    def depend_on(self, fence: Fence) -> None:
        self._dependency.store(fence)
        if fence.add_callback(self.clear):
            self.trace()


def model(entity_class: type[Entity], runtime: Runtime) -> None:
    """Have some entities begin to wait, each for a fence that signals meanwhile."""
    for _ in range(ENTITIES):
        fence = Fence()
        runtime.spawn(fence.signal, "device")
        entity_class().depend_on(fence)


BUG = Bug(
    name="trace-after-callback",
    title="drm/sched: Fix racy access to drm_sched_entity.dependency",
    fix="b2b8af21fec3, September 2025",
    symptom="a null pointer is followed when jobs are traced",
    interleaving="the entity hangs its callback on the fence; the fence signals, and the callback clears the"
    " dependency; the trace point reads it",
    repair="trace before the callback is there",
    broken=lambda runtime: model(EntityAsItWas, runtime),
    fixed=lambda runtime: model(Entity, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
