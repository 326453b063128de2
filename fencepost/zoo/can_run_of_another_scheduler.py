"""A scheduler that was told no because of another one's job, and heard only of the end of its own.

The second of three ways in which "may this job run?" has no wake-up; see `can-run-woken-before-change`.
"""

from __future__ import annotations

from fencepost.actors import Job, Runtime
from fencepost.actors.resources import Resources
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.policies.resources import Pool
from fencepost.zoo.bug import Bug
from fencepost.zoo.can_run_job import AskingActor
from fencepost.zoo.event_ids import Needy, needs_of
from fencepost.zoo.instead import model_with

__all__ = ["BUG"]


class Asked(Needy):
    """Says whether there is what a job needs, and takes it when the job runs."""

    def can_run_job(self, job: Job) -> bool:
        """Say whether all it needs is free."""
        return all(pool.free >= count for pool, count in needs_of(job).items())

    def prepare_job(self, job: Job) -> Fence | None:  # noqa: ARG002 - as in the base
        """Be ready at any time."""
        return None

    def run_job(self, job: Job) -> Fence:
        super().prepare_job(job)
        return super().run_job(job)


def model(backend: type[Needy], runtime: Runtime) -> None:
    """Run a job on each of two schedulers, of whose jobs only one may run at a time."""
    place, resources = Pool("places", 1), Resources()
    entities = [runtime.scheduler(backend(resources), name=name).entity(f"client of {name}") for name in ("x", "y")]
    for job in [entity.submit(1, work={place: 1}) for entity in entities]:
        job.finished.wait()


BUG = Bug(
    name="can-run-of-another-scheduler",
    title=None,
    fix='never merged: "drm/scheduler: Add can_run_job callback", an RFC of March 2023 (A. Lina)',
    symptom="a job that could run never does",
    interleaving="a job of x runs; y asks, is told no, and sleeps; the job completes and wakes x, which has nothing to"
    " do; nobody wakes y",
    repair="return a fence to wait for, whoever signals it",
    broken=model_with(lambda runtime: model(Asked, runtime), scheduler_actor=AskingActor),
    fixed=lambda runtime: model(Needy, runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
