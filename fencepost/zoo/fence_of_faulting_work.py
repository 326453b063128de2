"""A job that could fault, and had a fence: to end it must have memory, and to get memory its end was waited for."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.memory import Placement
from fencepost.zoo.bug import Bug
from fencepost.zoo.faulting_gpu import AT, PAGES, FaultingGpu, publish

__all__ = ["BUG"]


def model(runtime: Runtime, *, fence: bool) -> None:
    """Have a job fault while system memory is full of a buffer that it uses, too."""
    gpu = FaultingGpu(runtime, long_running=not fence)
    used = gpu.buffer(PAGES, Placement.SYSTEM)
    gpu.vm.bind(gpu.memory.create(used.size_bytes), AT, populate=False)
    job = gpu.job()
    if fence:
        publish(job.finished, used.reservation)
    job.push()
    job.finished.wait()


BUG = Bug(
    name="fence-of-faulting-work",
    title=None,
    fix='refused in the discussion of "Xe DRM scheduler and long running workload plans", April 2023',
    symptom="a job that faults hangs for ever when memory is short, and with it all who want memory",
    interleaving="the fence of the job is in the reservation of a buffer; the job faults; the handler wants memory, and"
    " to free some it waits for the fence of that buffer; so each of the two waits for the other",
    repair="publish no fence of work that can fault; what waits for its memory has it preempted",
    broken=lambda runtime: model(runtime, fence=True),
    fixed=lambda runtime: model(runtime, fence=False),
    finds=frozenset({Kind.DEADLOCK}),
)
