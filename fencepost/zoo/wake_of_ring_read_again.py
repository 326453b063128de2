"""A push that read its entity's scheduler once to enter the job and once more to wake somebody.

A model of the kernel's entity: ours fixes the scheduler of a job at the arm and never reads it again.
"""

from __future__ import annotations

from collections import deque
from typing import ClassVar

from fencepost.actors import Actor, Runtime
from fencepost.actors.dispatch import Dispatch
from fencepost.actors.messages import Wake
from fencepost.checks import Kind
from fencepost.sync import Gate, current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]


class Ring(Actor):
    """Does, when woken, the jobs that were entered; a job is a gate that opens when it is done."""

    def __init__(self, dispatch: Dispatch, name: str) -> None:
        super().__init__(dispatch, name)
        self.jobs: deque[Gate] = deque()

    def on_wake(self, _message: Wake) -> None:
        while self.jobs:
            self.jobs.popleft().open()

    messages: ClassVar = {Wake: on_wake}


class Entity:
    """Enters its jobs at one ring, which may be changed. The lock protects which one, and the jobs of the rings."""

    def __init__(self, ring: Ring) -> None:
        self._lock = current().lock()
        self._ring = Cell("the ring of the entity", ring)

    def push(self, job: Gate) -> None:
        with self._lock:
            ring = self._ring.load()
            ring.jobs.append(job)
        self.wake(ring)

    def wake(self, ring: Ring) -> None:
        ring.post(Wake())

    def move(self, ring: Ring) -> None:
        """Enter later jobs at another ring."""
        with self._lock:
            self._ring.store(ring)


class EntityAsItWas(Entity):
    """Wakes the ring that it is on by then."""

    def wake(self, ring: Ring) -> None:  # noqa: ARG002 - that is the bug
        self._ring.load().post(Wake())


def model(entity_class: type[Entity], runtime: Runtime) -> None:
    """Push a job while the entity is moved."""
    first, second = (runtime.start(Ring, name=name) for name in ("ring1", "ring2"))
    entity = entity_class(first)
    runtime.spawn(lambda: entity.move(second), "mover")
    job = Gate("the job")
    entity.push(job)
    job.wait()


BUG = Bug(
    name="wake-of-ring-read-again",
    title="drm/sched: Always wake up correct scheduler in drm_sched_entity_push_job",
    fix="cbc8764e29c2, September 2024",
    symptom="a job is pushed and nobody wakes up for it",
    interleaving="a push enters its job at the first ring; the entity is moved to the second one; the push wakes the"
    " ring of the entity, which is the second and finds nothing",
    repair="read the ring once, under the lock",
    broken=lambda runtime: model(EntityAsItWas, runtime),
    fixed=lambda runtime: model(Entity, runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
