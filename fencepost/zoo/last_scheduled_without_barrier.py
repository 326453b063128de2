"""A queue that was seen empty before its last job was seen as scheduled.

A model of the kernel's entity and of a weakly ordered CPU. The controlled world has every task see all writes in order,
so the order in which another CPU could see them is written out. Ours asks for what was armed, under the entity's lock.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell, Counter

__all__ = ["BUG"]


class Entity:
    """Has one job queued."""

    def __init__(self) -> None:
        self._queued = Counter("queued jobs", 1)
        self._last_scheduled: Cell[Fence | None] = Cell("last_scheduled", None)

    def pop(self, finished: Fence) -> None:
        """Take the job, whose finished fence this is, out of the queue."""
        self._last_scheduled.store(finished)
        self._queued.store(0)

    def may_move(self) -> bool:
        """Say whether none of its jobs is under way."""
        if self._queued.load():
            return False
        last = self._last_scheduled.load()
        return last is None or last.signaled


class EntityAsItWas(Entity):
    """Has no barrier between its two writes."""

    def pop(self, finished: Fence) -> None:
        self._queued.store(0)
        self._last_scheduled.store(finished)


def model(entity: Entity, runtime: Runtime) -> None:
    """Ask whether the entity may move while its job is popped, which stays on the hardware."""
    finished = Fence()
    runtime.spawn(lambda: entity.pop(finished), "worker")
    assert not entity.may_move(), "the entity moves to another ring while its last job still runs"


BUG = Bug(
    name="last-scheduled-without-barrier",
    title="drm/sched: Barriers are needed for entity->last_scheduled",
    fix="posted on 8 July 2021 (D. Vetter)",
    symptom="a client moves to another ring while its last job still runs",
    interleaving="the worker takes the last job out of the queue; an arm sees the queue empty, and the job before as"
    " the last one scheduled; only then it could see the new one",
    repair="put a pair of barriers between the queue and the last job scheduled",
    broken=lambda runtime: model(EntityAsItWas(), runtime),
    fixed=lambda runtime: model(Entity(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
