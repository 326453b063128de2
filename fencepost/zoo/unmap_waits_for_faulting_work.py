"""A process that took memory away under the lock which the handler of a page fault there wanted."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.memory import PAGE_BYTES, ProcessMemory
from fencepost.zoo.bug import Bug
from fencepost.zoo.faulting_gpu import AT, FaultingGpu, publish

__all__ = ["BUG"]


def model(runtime: Runtime, *, fence: bool) -> None:
    """Unmap memory of a process while a job faults there."""
    gpu = FaultingGpu(runtime, long_running=not fence)
    process = ProcessMemory()
    gpu.vm.bind_userptr(process, 0, PAGE_BYTES, AT, populate=False)
    job = gpu.job()
    if fence:
        publish(job.finished, gpu.vm.reservation)
    runtime.spawn(lambda: process.unmap(0, PAGE_BYTES), "process")
    job.push()
    job.finished.wait()


BUG = Bug(
    name="unmap-waits-for-faulting-work",
    title=None,
    fix='refused in the discussion of "Xe DRM scheduler and long running workload plans", April 2023',
    symptom="a process hangs in munmap, and a job on the GPU",
    interleaving="munmap holds the mmap lock, and its notifier waits for the fence of a job; the job faults in that"
    " memory; the handler wants the mmap lock",
    repair="publish no fence of work that can fault: then the notifier takes the memory from the page tables at once",
    broken=lambda runtime: model(runtime, fence=True),
    fixed=lambda runtime: model(runtime, fence=False),
    finds=frozenset({Kind.DEADLOCK}),
)
