"""From the batches of a workload to jobs, with all they depend on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import TypeAlias

from fencepost.actors import Job
from fencepost.fences import Fence
from fencepost.hw import Batch as Work
from fencepost.lab.runner.context_queue import ContextQueue
from fencepost.lab.runner.engines import EngineNames
from fencepost.lab.runner.objects import Accesses, Objects, accesses_of
from fencepost.lab.runner.plan import Place, Plan, confined
from fencepost.lab.runner.soft_fences import SoftFences
from fencepost.lab.setup import ClientSetup
from fencepost.lab.wsim import Batch, DataDependency, FenceDependency, ObjectAccess, SubmitDependency

__all__ = ["Mishap", "Submission"]

Mishap: TypeAlias = Callable[[Job], object]
"""What is done to a batch that is not to end by itself: gets the armed job."""


class Submission:
    """Submits the batches of one client. Belongs to the client's task.

    Durations come from a generator that is seeded with the seed of the run and the name of the client: so they are the
    same each time, and what one client draws changes nothing for another.

    Args:
        setup: the client.
        plan: where its batches may go.
        queues: one for each place of the plan.
        objects: of its working sets, shared with its clones.
        soft_fences: of its `f` steps.
        engines_of: names where a job runs, or may run.
        seed: of the run.

    Attributes:
        jobs: index of a batch among the steps -> the last job made from it.
        mishaps: what is to happen to the next batches. Anybody may append.
    """

    def __init__(
        self,
        *,
        setup: ClientSetup,
        plan: Plan,
        queues: Mapping[Place, ContextQueue],
        objects: Objects,
        soft_fences: SoftFences,
        engines_of: Callable[[Job], EngineNames],
        seed: int,
    ) -> None:
        workload = setup.workload
        self.jobs: dict[int, Job] = {}
        self.mishaps: deque[Mishap] = deque()
        self._plan = plan
        self._queues = queues
        self._objects = objects
        self._soft_fences = soft_fences
        self._engines_of = engines_of
        self._random = Random(f"{seed} {setup.name}")
        self._accesses: dict[int, Accesses | None] = {
            index: accesses_of(step, workload, setup.name)
            for index, step in enumerate(workload.steps)
            if isinstance(step, Batch)
        }
        self._work: dict[int, Work] = {}

    def set_preemption(self, ctx: int, preempt_us: int) -> None:
        """Say how the batches of a context can be preempted from here on."""
        self._work[ctx] = Work(preempt_us)

    def submit(self, index: int, batch: Batch) -> Job:
        """Make a job from the batch at `index` and push it.

        Raises OSError: ECANCELED when the entities were killed or banned, EIO or ENODEV when the device is lost.
        """
        place = self._plan.places[index]
        queue = self._queues[place]
        mishap = self.mishaps[0] if self.mishaps else None
        duration_us = self._duration_us(batch) if mishap is None else None
        job = queue.job(duration_us, self._work.get(batch.ctx), self._choice(place, batch))
        for fence in self._dependencies(batch):
            job.add_dependency(fence)
        self._arm(job, self._accesses[index])
        if mishap is not None:
            # Only now: a batch that is refused has not had it.
            self.mishaps.popleft()
            mishap(job)
        job.push()
        queue.note(job)
        self.jobs[index] = job
        return job

    def _arm(self, job: Job, accesses: Accesses | None) -> None:
        if accesses is None:
            job.arm()
            return
        objects = self._objects
        with objects.lock:
            for fence in objects.users_locked(accesses):
                job.add_dependency(fence)
            job.arm()
            objects.note_locked(accesses, job.finished)

    def _duration_us(self, batch: Batch) -> int | None:
        duration = batch.duration
        return None if duration is None else self._random.randint(duration.min_us, duration.max_us)

    def _dependencies(self, batch: Batch) -> Iterator[Fence]:
        for dependency in batch.dependencies:
            match dependency:
                case DataDependency():
                    yield self.jobs[dependency.target].finished
                case FenceDependency():
                    soft = self._soft_fences.get(dependency.target)
                    yield self.jobs[dependency.target].finished if soft is None else soft
                case SubmitDependency():
                    yield self.jobs[dependency.target].scheduled
                case ObjectAccess():
                    pass

    # Bonds.

    def _choice(self, place: Place, batch: Batch) -> EngineNames:
        """Return where a batch may go: what the first bond leaves whose master runs where the bond says."""
        for bond in self._plan.bonds.get(place.ctx, ()):
            if any(engine in bond.masters for engine in self._master_engines(batch)):
                return confined(place, bond)
        return place.engines

    def _master_engines(self, batch: Batch) -> Iterator[str]:
        """Yield where the batches run that a batch goes along with.

        These are the targets of its submit dependencies. If it has none, they are the unfinished batches of the other
        contexts of this client.
        """
        targets = [each.target for each in batch.dependencies if isinstance(each, SubmitDependency)]
        if targets:
            for target in targets:
                yield from self._engines_of(self.jobs[target])
            return
        for place, queue in self._queues.items():
            if place.ctx != batch.ctx:
                for job in queue.pending():
                    yield from self._engines_of(job)
