"""A scheduler that was told no while nothing ran, so that nothing could ever end and make it ask again.

The third of three ways in which "may this job run?" has no wake-up; see `can-run-woken-before-change`. A fence to wait
for does not exist here; who has to return one cannot take such a limit, and says so to whoever sets it.
"""

from __future__ import annotations

from contextlib import suppress

from fencepost.actors import Job, Runtime
from fencepost.actors.resources import Resources
from fencepost.checks import Kind
from fencepost.errors import BadInput
from fencepost.fences import Fence
from fencepost.policies.resources import Pool
from fencepost.zoo.bug import Bug
from fencepost.zoo.can_run_job import AskingActor
from fencepost.zoo.cell import Cell
from fencepost.zoo.event_ids import Needy
from fencepost.zoo.instead import model_with

__all__ = ["BUG"]


class Device(Needy):
    """Runs one job at a time, or as many as a person says."""

    def __init__(self) -> None:
        super().__init__(Resources())
        self.places = Cell("places", Pool("places", 1))

    def set_limit(self, limit: int) -> None:
        """Change how many of the jobs that are still to come may run; raises BadInput when that is none."""
        self.places.store(Pool("places", limit))


class DeviceAsItWas(Device):
    """Counts for itself, and says whether there is room."""

    def __init__(self) -> None:
        super().__init__()
        self._limit = Cell("limit", 1)

    def set_limit(self, limit: int) -> None:
        self._limit.store(limit)

    def can_run_job(self, job: Job) -> bool:  # noqa: ARG002 - the contract's
        """Say whether any job may run; the credits see to it that it is one."""
        return self._limit.load() > 0

    def prepare_job(self, job: Job) -> Fence | None:  # noqa: ARG002 - as in the base
        return None


def model(device: type[Device], runtime: Runtime) -> None:
    """Run two jobs while somebody sets the limit to 0."""
    gpu = device()
    entity = runtime.scheduler(gpu, name="ring").entity("client")

    def administer() -> None:
        with suppress(BadInput):
            gpu.set_limit(0)

    runtime.spawn(administer, "administrator")
    for job in [entity.submit(1, work={gpu.places.load(): 1}) for _ in range(2)]:
        job.finished.wait()


BUG = Bug(
    name="can-run-with-nothing-in-flight",
    title=None,
    fix='never merged: "drm/scheduler: Add can_run_job callback", an RFC of March 2023 (A. Lina)',
    symptom="all jobs hang, and nothing says why",
    interleaving="the limit is set to 0; the last job that ran has completed, and its wake-up was used; the scheduler"
    " asks, is told no, and waits for a completion",
    repair="return a fence to wait for; without anything that could signal one, an error",
    broken=model_with(lambda runtime: model(DeviceAsItWas, runtime), scheduler_actor=AskingActor),
    fixed=lambda runtime: model(Device, runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
