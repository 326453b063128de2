"""A scheduler that marked the entities of others as stopped when it ended, without their lock."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell
from fencepost.zoo.refcount import Counted

__all__ = ["BUG"]


class Entity:
    """Enters the run queue of its scheduler with its first job, unless it is stopped.

    `_lock` makes one step of the test and the entry; before the lock of the run queue, which is why the scheduler, who
    holds that one, cannot take it.
    """

    def __init__(self, run_queue: Counted) -> None:
        self._lock = current().lock()
        self._run_queue = run_queue
        self.stopped = Cell("stopped", value=False)

    def push(self) -> None:
        with self._lock:
            if not self.stopped.load():
                self._run_queue.touch()

    def kill(self) -> None:
        with self._lock:
            self.stopped.store(value=True)


class Driver:
    """Closes a queue."""

    def close(self, entity: Entity, run_queue: Counted) -> None:
        """End the entity, then the scheduler."""
        entity.kill()
        run_queue.put()


class DriverAsItWas(Driver):
    """Leaves it to the scheduler's end to keep entities away."""

    def close(self, entity: Entity, run_queue: Counted) -> None:
        entity.stopped.store(value=True)
        run_queue.put()


def model(driver: Driver, runtime: Runtime) -> None:
    """Close a queue while a client pushes a job."""
    run_queue = Counted("run queue")
    entity = Entity(run_queue)
    runtime.spawn(entity.push, "client")
    runtime.spawn(lambda: driver.close(entity, run_queue), "close")


BUG = Bug(
    name="entity-stopped-without-lock",
    title="drm/sched: Remove racy hack from drm_sched_fini()",
    fix="4827d6d83f07, posted 8 January 2026",
    symptom="an entity enters a run queue that is gone",
    interleaving="a push finds that the entity is not stopped; the end of the scheduler marks it as stopped and frees"
    " the run queue; the push enters that",
    repair="a rule: entities end before their scheduler",
    broken=lambda runtime: model(DriverAsItWas(), runtime),
    fixed=lambda runtime: model(Driver(), runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
