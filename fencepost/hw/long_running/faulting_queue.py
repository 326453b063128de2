"""A queue of work that can fault and be taken off its engine in the middle: the backend of a scheduler."""

from __future__ import annotations

import errno

from fencepost.actors import Job
from fencepost.actors.job import HardwareFence
from fencepost.events import EventRing
from fencepost.fences import Fence
from fencepost.hw.access import AccessFault
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.long_running.context import Context, Piece
from fencepost.hw.long_running.fault_firmware import FaultFirmware
from fencepost.hw.long_running.fault_messages import Drop, Fault, Kill, Resume, Run, Suspend
from fencepost.hw.memory import FaultHandler, Vm
from fencepost.hw.ring import Ring
from fencepost.sync import World

__all__ = ["FaultingQueue"]


class FaultingQueue(Ring):
    """A ring of an engine whose jobs may touch what is not there: the fault goes to the firmware, and on to a handler.

        queue = FaultingQueue(engine, vm, firmware, handler, priority=Priority.NORMAL, preempt_us=100)
        scheduler = rt.scheduler(queue, name="compute", policy="single")

    It is `Suspendable`. The engine, its other rings and its lock are as with any `Ring`; what this one has on it is the
    firmware's.

    Args:
        engine, priority, preempt_us: as of a ring.
        vm: where its jobs find memory.
        firmware: who runs it.
        handler: who brings what is missing.
    """

    def __init__(
        self,
        engine: ClockedEngine,
        vm: Vm,
        firmware: FaultFirmware,
        handler: FaultHandler,
        *,
        priority: int,
        preempt_us: int,
    ) -> None:
        super().__init__(engine, priority, preempt_us)
        self._firmware = firmware
        self._pieces: dict[Job, Piece] = {}
        self._seat = context = Context(f"a queue of {vm.name}", engine, self._buffer, preempt_us)
        handler.serve(vm)
        to_handler = vm.on_fault
        assert to_handler is not None

        def fault(access: AccessFault) -> None:
            firmware.post(Fault(context, access, to_handler))

        vm.on_fault = fault

    @property
    def name(self) -> str:
        """What reports call it."""
        return self._seat.name

    @property
    def dead(self) -> bool:
        """Whether it was reset: nothing of it runs any more. Any context."""
        return self._seat.dead

    # The owner. Any context; nothing blocks.

    def suspend(self) -> Fence:
        """Hold it off the engine; the fence signals when nothing of it runs."""
        off = Fence(name=f"the suspension of {self.name}")
        self._firmware.post(Suspend(self._seat, off))
        return off

    def resume(self) -> None:
        """Undo one `suspend`."""
        self._firmware.post(Resume(self._seat))

    def kill(self) -> None:
        """Reset it: its jobs end with -EIO, and nothing of it runs any more."""
        self._firmware.post(Kill(self._seat))

    # The backend of its scheduler.

    def attach(self, world: World, ring: str, events: EventRing | None) -> None:
        super().attach(world, ring, events)
        self._seat.name = ring

    def run_job(self, job: Job) -> Fence:
        self._submitted += 1
        fence = HardwareFence(self.context, self._submitted, name=f"{self.name} hardware")
        piece = self._pieces[job] = Piece(job, fence)
        self._firmware.post(Run(self._seat, piece))
        return fence

    def abort(self, job: Job, error: int) -> None:
        piece = self._pieces.get(job)
        super().abort(job, error)
        if piece is not None:
            # It is not on the engine. If it is about to come there, the firmware takes it off when its job is freed.
            piece.fence.signal(error)

    def cancel_job(self, job: Job) -> None:
        self.abort(job, -errno.ECANCELED)

    def free_job(self, job: Job) -> None:
        piece = self._pieces.pop(job, None)
        if piece is not None:
            self._firmware.post(Drop(self._seat, piece))
