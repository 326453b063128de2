"""Who brings the memory of an address space back, and its queues with it."""

from __future__ import annotations

import errno
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from fencepost.actors import Actor
from fencepost.actors.dispatch import Dispatch
from fencepost.errors import WrongState
from fencepost.sync import NS_PER_S, current

if TYPE_CHECKING:
    from fencepost.hw.long_running.compute_vm import ComputeVm
    from fencepost.hw.long_running.member import Member

__all__ = ["REBIND", "Rebinder"]

RETRY_S: Final = 0.02
BUDGET_S: Final = 1.0
NO_MEMORY: Final = (errno.ENOMEM, errno.ENOSPC)


@dataclass(frozen=True, slots=True)
class Rebind:
    """Preempt work -> rebinder: a queue has left the hardware. Client, timer -> rebinder: look again."""


REBIND: Final = Rebind()


class Rebinder(Actor):
    """Waits until all queues are off, brings the memory back, and then runs them again.

    In this order: the lock; the fences of all preemptions; new fences, while memory may be had; the reservations and
    what is bound; whether that is still there. From then on nothing may fail or wait: fences are armed and published,
    and queues resumed. It blocks, so it needs the thread dispatch, and never runs in the work that its waits need.
    (kernel: xe's preempt_rebind_work_func)

    Attributes:
        vm: for whom.
        rebinds: how often it brought memory back.
        retries: how often memory had gone again by then, or there was none.
    """

    def __init__(self, dispatch: Dispatch, name: str, vm: ComputeVm, back_off_s: float) -> None:
        super().__init__(dispatch, name)
        self.vm = vm
        self._back_off_ns = round(back_off_s * NS_PER_S)
        self._not_before_ns = 0
        self._backing_off = False
        self.rebinds = self.retries = 0

    def on_rebind(self, _message: Rebind) -> None:
        """Bring all back, after the back-off; the first time at once. Blocks."""
        if self._back_off_ns and self.rebinds and not self._backing_off:
            self._backing_off = True
            self._not_before_ns = current().now_ns() + self._back_off_ns
            current().timers.call_at(self._not_before_ns, lambda: self.post(REBIND))
        if current().now_ns() < self._not_before_ns:
            return
        with self.vm.vm.lock.write():
            if not self.vm.error:
                self._backing_off = False
                self._rebind()

    messages: ClassVar = {Rebind: on_rebind}

    def _rebind(self) -> None:
        members = self.prepare()
        if not members:
            return
        deadline_ns = current().now_ns() + round(BUDGET_S * NS_PER_S)
        try:
            while not self._try(members, deadline_ns):
                self.retries += 1
        except OSError as error:
            self.log.warning("its memory could not be brought back: banned", vm=self.vm.vm.name, why=str(error))
            self.vm.ban(-(error.errno or errno.EIO))
        else:
            self.rebinds += 1

    def prepare(self) -> list[Member]:
        """Wait until all are off the hardware, and make their next fences. The lock is held; blocks."""
        absent = self.vm.absent()
        for member in absent:
            member.preemption.fence.wait()
        members: list[Member] = []
        for member in absent:
            # Unless it was lost meanwhile.
            with suppress(WrongState):
                member.preemption.rebind()
                members.append(member)
        return members

    def _try(self, members: list[Member], deadline_ns: int) -> bool:
        """Bring the memory back and run; False when it is gone again, or there is none yet. Blocks.

        Raises OSError when it will never be there.
        """
        vm = self.vm
        try:
            with vm.vm.rebound():
                reservations = vm.reserve(len(members))
                return vm.vm.unless_changed(lambda: vm.resume(members, reservations))
        except OSError as error:
            if error.errno not in NO_MEMORY or current().now_ns() >= deadline_ns:
                raise
        current().sleep(RETRY_S)
        return False
