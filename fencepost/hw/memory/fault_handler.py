"""Who brings the memory that work on the GPU does not find."""

from __future__ import annotations

import errno
from contextlib import nullcontext
from dataclasses import dataclass
from typing import ClassVar

from fencepost.actors.dispatch import Dispatch
from fencepost.hw.access import AccessFault
from fencepost.hw.memory.blocking_actor import BlockingActor
from fencepost.hw.memory.manager import MemoryManager
from fencepost.hw.memory.placement import PAGE_BYTES
from fencepost.hw.memory.vm import Vm
from fencepost.sync import current
from fencepost.sync.observer import signalling

__all__ = ["FaultHandler", "Missing"]


@dataclass(frozen=True, slots=True)
class Missing:
    """Engine -> handler: work waits at an address that the page tables do not lead on from."""

    vm: Vm
    fault: AccessFault


class FaultHandler(BlockingActor):
    """Handles the faults of address spaces, one at a time: `rt.start(FaultHandler, memory, name="faults")`.

    It blocks, for locks, memory and fences. What it is asked for by work whose fence others may wait for is done in a
    signalling section, since that fence needs it; why that cannot go well is told in `fencepost.fences.faulting`.

    Args:
        memory: where it takes what it needs besides the pages, for as long as it works on a fault.

    Attributes:
        handled, refused: how many it has answered with an ack, and with a nack.

    Raises WrongState in a work queue.
    """

    def __init__(self, dispatch: Dispatch, name: str, memory: MemoryManager) -> None:
        super().__init__(dispatch, name)
        self._memory = memory
        self.handled = self.refused = 0

    def serve(self, vm: Vm) -> None:
        """Handle the faults of an address space from now on. Before it is used."""
        vm.on_fault = lambda fault: self.post(Missing(vm, fault))

    def on_missing(self, message: Missing) -> None:
        """Bring what is missing, and have the work go on; or refuse that, and have it recovered. Blocks."""
        vm, fault = message.vm, message.fault
        if fault.dead:
            # Nobody waits for an answer, so nobody must be made to wait for one.
            fault.nack()
            return
        fault.handler = current().task()
        try:
            with nullcontext() if vm.long_running else signalling():
                self.bring(vm, fault.address)
        except OSError as error:
            self.refused += 1
            self.log.warning("fault refused", fault=repr(fault), why=str(error))
            fault.nack()
        else:
            self.handled += 1
            fault.ack()

    messages: ClassVar = {Missing: on_missing}

    def bring(self, vm: Vm, address: int) -> None:
        """Have the page tables lead on from an address. Client context.

        Raises OSError EFAULT where nothing is bound, else as `MemoryManager.validated`.
        """
        with vm.lock.read():
            binding = vm.lookup(address)
            if binding is None:
                raise OSError(errno.EFAULT, f"nothing is bound at {address:#x} of {vm.name}")
            self._memory.allocate(PAGE_BYTES)
            try:
                vm.populate(binding)
            finally:
                self._memory.release(PAGE_BYTES)
