"""A device whose jobs need things of pools, as many as their `work` says; and one who submits some at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from fencepost.actors import Job, Runtime
from fencepost.actors.resources import Resources
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.policies.resources import Pool

__all__ = ["Needy", "needs_of", "run_one_each"]


class Needy(MockBackend):
    """Prepares its jobs. It shares `resources` with others."""

    def __init__(self, resources: Resources) -> None:
        super().__init__()
        self._resources = resources

    def check_job(self, job: Job) -> None:
        """Refuse a job that needs more than there is."""
        self._resources.check(job, needs_of(job))

    def prepare_job(self, job: Job) -> Fence | None:
        """Take what a job needs."""
        got = self._resources.get(job, needs_of(job))
        return got if isinstance(got, Fence) else None


def needs_of(job: Job) -> Mapping[Pool, int]:
    """Return how many of which pools a job needs."""
    return cast("Mapping[Pool, int]", job.work)


def run_one_each(runtime: Runtime, resources: Resources, *needs: Mapping[Pool, int]) -> None:
    """Run jobs with these needs, one on each of as many entities."""
    ring = runtime.scheduler(Needy(resources), name="ring", credit_limit=len(needs))
    entities = [ring.entity(f"entity {number}") for number in range(len(needs))]
    jobs = [entity.submit(0, work=each) for entity, each in zip(entities, needs, strict=True)]
    for job in jobs:
        job.finished.wait()
