"""What entries about page faults share: a GPU whose work can fault, and who deals with that."""

from __future__ import annotations

from typing import Final

from fencepost.actors import Job, Runtime
from fencepost.fences import Fence, Reservation, Usage
from fencepost.hw import Batch, Gpu
from fencepost.hw.memory import PAGE_BYTES, BufferObject, FaultHandler, MemoryManager, Placement, Vm

__all__ = ["AT", "PAGES", "FaultingGpu", "publish"]

AT: Final = 0x10000
"""Where the work touches memory."""

PAGES: Final = 4
"""How much system memory there is."""


class FaultingGpu:
    """A GPU with one engine, memory, and an address space of work that can fault.

    Args:
        runtime: where it runs.
        long_running: whether no fence of the work is published; then the handler is in no signalling section.
    """

    def __init__(self, runtime: Runtime, *, long_running: bool) -> None:
        self.memory = MemoryManager(2 * PAGES * PAGE_BYTES, PAGES * PAGE_BYTES)
        self.vm = Vm(self.memory, long_running=long_running)
        runtime.start(FaultHandler, self.memory, name="fault handler").serve(self.vm)
        self._entity = runtime.scheduler(Gpu({"rcs": 1}).ring("rcs0"), name="rcs0").entity()

    def buffer(self, pages: int, placement: Placement) -> BufferObject:
        """Make a buffer, and bring it to where it shall be."""
        buffer = self.memory.create(pages * PAGE_BYTES)
        with self.memory.validated([buffer], placement):
            return buffer

    def job(self) -> Job:
        """Arm a job that touches memory at `AT`."""
        job = self._entity.job(duration_us=2, work=Batch(memory=self.vm, touches=((1.0, AT),)))
        job.arm()
        return job


def publish(fence: Fence, reservation: Reservation) -> None:
    """Have whoever wants the memory wait for a fence."""
    with reservation:
        reservation.reserve()
        reservation.add(fence, Usage.BOOKKEEP)
