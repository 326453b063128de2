"""The batches of one context on one engine, or virtual engine, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from fencepost.actors import Entity, Job
from fencepost.lab.runner.engines import EngineNames
from fencepost.lab.runner.losses import Losses
from fencepost.policies import Health

__all__ = ["ContextQueue"]


class ContextQueue:
    """Makes the jobs of one place, and knows those that are under way. Belongs to the task of its client.

    A virtual engine has one entity for the choice among all its engines and one for each choice that a bond leaves,
    since an entity moves only when it is idle and a bond does not wait for that. Where a job goes to another entity
    than the one before it, a dependency keeps the order.

    Args:
        make: makes the entities, one for each choice of engines.
        retire: puts a dead one away.
        losses: what is told how each job ended.

    Attributes:
        entities: those that jobs go to now.
    """

    def __init__(
        self,
        make: Callable[[], Mapping[EngineNames, Entity]],
        retire: Callable[[Entity], None],
        losses: Losses,
    ) -> None:
        self.entities = make()
        self._make = make
        self._retire = retire
        self._losses = losses
        self._last: Job | None = None
        self._pending: deque[Job] = deque()

    def job(self, duration_us: float | None, work: object, choice: EngineNames) -> Job:
        """Make a job, which is still to be given dependencies, armed, pushed and noted."""
        entity = self.entities[choice]
        job = entity.job(duration_us=duration_us, work=work)
        last = self._last
        if last is not None and last.entity is not entity:
            job.add_dependency(last.finished)
        return job

    def note(self, job: Job) -> None:
        """Make a job that was pushed the last one."""
        self._last = job
        self._pending.append(job)

    def pending(self) -> deque[Job]:
        """Return the jobs that are not finished, oldest first."""
        pending = self._pending
        while pending and pending[0].finished.signaled:
            self._losses.note(pending.popleft())
        return pending

    def renew(self) -> None:
        """Put new entities in the place of those that are dead. Blocks until the last job of those has ended.

        A context on several engines is one context: it is lost as a whole.
        """
        states = [entity.status() for entity in self.entities.values()]
        for entity in self.entities.values():
            self._retire(entity)
        self._losses.contexts += 1
        self._losses.guilty += any(state.health is Health.GUILTY for state in states)
        self.entities = self._make()
