"""An eviction that waited for a job with the buffer locked which the handler of the job's page fault wanted."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.memory import Placement
from fencepost.zoo.bug import Bug
from fencepost.zoo.faulting_gpu import AT, FaultingGpu, publish

__all__ = ["BUG"]


def model(runtime: Runtime, *, fence: bool) -> None:
    """Evict a buffer while a job faults in it."""
    gpu = FaultingGpu(runtime, long_running=not fence)
    buffer = gpu.buffer(1, Placement.VRAM)
    gpu.vm.bind(buffer, AT, populate=False)
    job = gpu.job()
    if fence:
        publish(job.finished, buffer.reservation)

    def evict() -> None:
        with buffer.reservation:
            gpu.memory.evict(buffer)

    runtime.spawn(evict, "memory manager")
    job.push()
    job.finished.wait()


BUG = Bug(
    name="eviction-waits-for-faulting-work",
    title=None,
    fix='refused in the discussion of "Xe DRM scheduler and long running workload plans", April 2023',
    symptom="an eviction hangs, and a job on the GPU",
    interleaving="the memory manager holds the reservation of a buffer and waits for the fence of a job that uses it;"
    " the job faults in the buffer; the handler wants the reservation to bring it back",
    repair="publish no fence of work that can fault",
    broken=lambda runtime: model(runtime, fence=True),
    fixed=lambda runtime: model(runtime, fence=False),
    finds=frozenset({Kind.DEADLOCK}),
)
