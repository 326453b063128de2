"""A scheduler that asked "may this job run?", was told no, and was not told when that changed.

The first of three ways in which a predicate has no wake-up of its own; see also `can-run-of-another-scheduler` and
`can-run-with-nothing-in-flight`.
"""

from __future__ import annotations

from fencepost.actors import Job, Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.can_run_job import AskingActor
from fencepost.zoo.cell import Cell
from fencepost.zoo.instead import model_with

__all__ = ["BUG"]


class Device(MockBackend):
    """Runs one job at a time, as the driver's own count has it."""

    def __init__(self) -> None:
        super().__init__()
        self.running = current().mailbox("running jobs")
        self._busy = Cell("busy", value=False)

    def can_run_job(self, job: Job) -> bool:  # noqa: ARG002 - the contract's
        """Say whether nothing runs."""
        return not self._busy.load()

    def run_job(self, job: Job) -> Fence:
        self._busy.store(value=True)
        fence = super().run_job(job)
        self.running.put(job)
        return fence

    def complete(self) -> None:
        """Handle the interrupt of the job on the hardware."""
        self.running.get()
        self._busy.store(value=False)
        self.advance()


class DeviceAsItWas(Device):
    """Signals, then frees what the job used."""

    def complete(self) -> None:
        self.running.get()
        self.advance()
        self._busy.store(value=False)


def model(device: type[Device], runtime: Runtime) -> None:
    """Run two jobs."""
    gpu = device()
    entity = runtime.scheduler(gpu, name="ring", credit_limit=2).entity("client")
    jobs = [entity.submit(), entity.submit()]

    def interrupts() -> None:
        for _ in jobs:
            gpu.complete()

    runtime.spawn(interrupts, "interrupts")
    for job in jobs:
        job.finished.wait()


BUG = Bug(
    name="can-run-woken-before-change",
    title=None,
    fix='never merged: "drm/scheduler: Add can_run_job callback", an RFC of March 2023 (A. Lina)',
    symptom="a job that could run never does",
    interleaving="the completion signals; that wakes the scheduler, which asks, is told that the hardware is busy, and"
    " sleeps; now the completion says that it is not",
    repair="change what is asked about before the fence signals; or return the fence to wait for",
    broken=model_with(lambda runtime: model(DeviceAsItWas, runtime), scheduler_actor=AskingActor),
    fixed=model_with(lambda runtime: model(Device, runtime), scheduler_actor=AskingActor),
    finds=frozenset({Kind.DEADLOCK}),
)
