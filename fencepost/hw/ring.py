"""A ring: the hardware queue through which one scheduler feeds an engine."""

from __future__ import annotations

import errno
from collections.abc import Mapping

from fencepost.actors import Job
from fencepost.actors.backend import engine_class_of
from fencepost.actors.job import HardwareFence
from fencepost.errors import WrongState
from fencepost.events import EventRing
from fencepost.fences import Fence, context_alloc
from fencepost.hw.batch import Batch, granularity_ns
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.execution import Execution, RingBuffer
from fencepost.sync import World
from fencepost.sync.tracking import tracked

__all__ = ["Ring"]


@tracked("_submitted")
class Ring:
    """Executes the jobs of one scheduler on an engine, in order. The backend of a scheduler.

    Its batches end in the order they were submitted, whatever other rings do to the engine: so a job need not wait for
    an earlier one of the same ring. Only a job that is aborted or cancelled ends out of turn.

    Life cycle: *made* -> *attached* (by the scheduler that it is given to, once).

    Attributes:
        context: fence context of its hardware fences.
        priority: the lower number is the more important one. `Priority` will do, or any integer.
    """

    def __init__(self, engine: ClockedEngine, priority: int, preempt_us: int) -> None:
        self.context = context_alloc()
        self.priority = priority
        self._engine = engine
        self._preempt_us = preempt_us
        self._buffer = RingBuffer(priority)
        self._submitted = 0
        self._name: str | None = None

    @property
    def engine(self) -> str:
        """The name of the engine it feeds."""
        return self._engine.name

    @property
    def engine_class(self) -> str:
        """What kind of engine that is."""
        return engine_class_of(self._engine.name)

    def feeds(self, engines: Mapping[str, ClockedEngine]) -> bool:
        """Say whether its engine is one of `engines`."""
        return engines.get(self._engine.name) is self._engine

    def attach(self, world: World, ring: str, events: EventRing | None) -> None:
        if self._name is not None:
            raise WrongState(f"{self._name}: a ring serves one scheduler, and this one has one")
        self._engine.attach(world, events)
        self._name = ring

    def run_job(self, job: Job) -> Fence:
        self._submitted += 1
        fence = HardwareFence(self.context, self._submitted, name=f"{self._name} hardware")
        execution = Execution(
            ring=self._buffer,
            client=job.entity.client,
            finished=job.finished,
            fence=fence,
            left_ns=None if job.duration_us is None else round(job.duration_us * 1000),
            granularity_ns=granularity_ns(job.work, self._preempt_us),
        )
        if isinstance(job.work, Batch):
            execution.memory = job.work.memory
            execution.touches = job.work.touches_ns
            execution.leaves_stalled = job.work.leaves_stalled
        self._engine.submit(job, execution)
        return fence

    def obstacle_of(self, job: Job) -> object | None:
        """Return what keeps a job from going on. For reports, see `ClockedEngine.obstacle_of`."""
        return self._engine.obstacle_of(job)

    def obstacle_before(self, finished: Fence) -> object | None:
        """Return what must come before the finished fence of a job: the job, or the engine for one yet to come."""
        return self._engine.job_of(finished) or self._engine

    def terminate(self, job: Job) -> None:
        """End a job of its scheduler. See `Gpu.terminate`."""
        self._engine.terminate(job)

    def abort(self, job: Job, error: int) -> None:
        """Take a job off the hardware at once, as a reset does; the engine goes on with the next one. Any context.

        Before this returns its hardware fence has signalled: with `error`, or as it ended if it had. A job that is not
        on the engine is ignored.
        """
        self._engine.abort(job, error)

    def cancel_job(self, job: Job) -> None:
        self.abort(job, -errno.ECANCELED)

    def free_job(self, job: Job) -> None:
        self._engine.forget(job)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name or 'new'} on {self.engine}, priority {int(self.priority)}>"
