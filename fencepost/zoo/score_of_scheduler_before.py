"""A push that counted its job where the entity had been.

A model of the kernel's entity: ours counts at the scheduler that the arm fixed for the job.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell, Counter

__all__ = ["BUG"]


class Entity:
    """Has its jobs run by one scheduler, which may be changed, and of which the score is all that matters here.

    The lock protects which one.
    """

    def __init__(self, score: Counter) -> None:
        self._lock = current().lock()
        self.score = Cell("the scheduler of the entity", score)

    def push(self) -> Counter:
        """Push a job; return the score of the scheduler that will complete it."""
        score = self.enter()
        score.add(1)
        return score

    def enter(self) -> Counter:
        """Place the entity in the run queue of its scheduler."""
        with self._lock:
            return self.score.load()

    def move(self, score: Counter) -> None:
        with self._lock:
            self.score.store(score)


class EntityAsItWas(Entity):
    """Counts the job before it takes the lock."""

    def push(self) -> Counter:
        self.score.load().add(1)
        return self.enter()


def model(entity_class: type[Entity], runtime: Runtime) -> None:
    """Push a job while the entity is moved, and complete it."""
    first, second = Counter("the first score", 0), Counter("the second score", 0)
    entity = entity_class(first)
    mover = runtime.spawn(lambda: entity.move(second), "mover")
    entity.push().add(-1)
    mover.join()
    scores = first.load(), second.load()
    assert scores == (0, 0), f"nothing is under way, and the scores are {scores}"


BUG = Bug(
    name="score-of-scheduler-before",
    title="drm/sched: Always increment correct scheduler score",
    fix="087913e0ba2b, September 2024",
    symptom="scores drift, one of them below zero, and the load is balanced by them",
    interleaving="a push counts its job at the first scheduler; the entity is moved; the job is entered at the second,"
    " whose score its completion lowers",
    repair="take one scheduler for both",
    broken=lambda runtime: model(EntityAsItWas, runtime),
    fixed=lambda runtime: model(Entity, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
