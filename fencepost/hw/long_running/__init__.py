"""Long-running work: three ways to submit it, and what each needs so that nobody waits for it for ever.

    suspendable                                 what can be taken off the hardware
    member  <-  preempt_work                    fences that promise no more than that
    rebinder  <-  compute_vm                    who brings memory and work back
    fault_messages, relayed_fault, context  <-  fault_firmware  <-  faulting_queue     work that stops at a fault
    engine_group                                which is never beside work with fences
    designs                                     all of it, as programs see it

Order of locks: of a group, of a `Vm`, the mmap lock, reservations.
"""

from __future__ import annotations

from fencepost.hw.long_running.compute_vm import ComputeVm
from fencepost.hw.long_running.engine_group import EngineGroup, Mode, ResumeWork
from fencepost.hw.long_running.fault_firmware import FaultFirmware
from fencepost.hw.long_running.faulting_queue import FaultingQueue
from fencepost.hw.long_running.member import Member
from fencepost.hw.long_running.preempt_work import PreemptWork
from fencepost.hw.long_running.rebinder import Rebinder
from fencepost.hw.long_running.suspendable import Suspendable

__all__ = [
    "ComputeVm",
    "EngineGroup",
    "FaultFirmware",
    "FaultingQueue",
    "Member",
    "Mode",
    "PreemptWork",
    "Rebinder",
    "ResumeWork",
    "Suspendable",
]
