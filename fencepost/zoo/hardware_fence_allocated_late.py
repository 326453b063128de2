"""A hardware fence for which memory was wanted while others waited for the job."""

from __future__ import annotations

from typing import ClassVar

from fencepost.actors import Job, Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.sync.allocation import Allocation, might_alloc
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class Backend(MockBackend):
    """Takes memory for the hardware fence of each job when that is run."""

    wanted: ClassVar = Allocation.ATOMIC

    def run_job(self, job: Job) -> Fence:
        might_alloc(self.wanted)
        return super().run_job(job)


class BackendAsItWas(Backend):
    """Waits until there is some."""

    wanted = Allocation.KERNEL


def model(backend: Backend, runtime: Runtime) -> None:
    """Run a job. That there is memory, and no deadlock, does not matter."""
    runtime.scheduler(backend, name="gfx").entity().submit(duration_us=1).finished.wait()


BUG = Bug(
    name="hardware-fence-allocated-late",
    title=None,
    fix="2020, in the series that annotates dma-fence for lockdep (amdgpu); title, commit and whether merged not known",
    symptom="a report as soon as the scheduler was annotated; a hang when memory is short",
    interleaving="somebody wants memory, of which there is none until a buffer is moved, and waits for the fence of its"
    " job; the scheduler is about to run that job, and wants memory for the hardware fence",
    repair="take from the reserves there, and let the job fail if these are empty; or take the memory at submission",
    broken=lambda runtime: model(BackendAsItWas(), runtime),
    fixed=lambda runtime: model(Backend(), runtime),
    finds=frozenset({Kind.FENCE_RULE}),
    observe=True,
)
