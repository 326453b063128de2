"""The designs whose work has no faults, and leaves the hardware when others want its memory."""

from __future__ import annotations

from fencepost.hw.long_running.compute_vm import ComputeVm
from fencepost.hw.long_running.designs.design import Design
from fencepost.hw.long_running.member import Member
from fencepost.hw.long_running.preempt_work import PreemptWork
from fencepost.hw.long_running.rebinder import Rebinder
from fencepost.hw.long_running.suspendable import Suspendable
from fencepost.hw.memory import Vm

__all__ = ["PREEMPT_US", "QUANTUM_US", "PreemptingDesign"]

PREEMPT_US = 5
QUANTUM_US = 20


class PreemptingDesign(Design):
    """What both have: preempt fences, and who takes work off and brings it back.

    Attributes:
        members: the queues of long-running work, in the order of their start.
        vms: who has the queues of which address space.
        rebinder: who brings memory back.
    """

    faults = False
    knows_back_off = True

    def prepare(self) -> None:
        self.preempt_work = self.runtime.start(PreemptWork, name="W")
        self.preempt_work.before_preempt = lambda member: self.signalling_path(member.queue.name)
        self.members: list[Member] = []
        self.vms: dict[Vm, ComputeVm] = {}
        self.rebinder: type[Rebinder] = Rebinder

    def join(self, queue: Suspendable, vm: Vm) -> None:
        """Have a queue run only while the memory of its address space is there."""
        if vm not in self.vms:
            self.vms[vm] = ComputeVm(
                self.runtime, vm, self.preempt_work, back_off_s=self.settings.back_off_s, rebinder=self.rebinder
            )
        self.members.append(self.vms[vm].join(queue))

    def close(self) -> None:
        """Have nobody bring memory back any more. Client context; blocks for locks."""
        for compute_vm in self.vms.values():
            for member in self.members:
                compute_vm.leave(member)
