"""An address space of long-running work: what others find in its reservations is that the work can be taken off."""

from __future__ import annotations

import errno
from contextlib import ExitStack, suppress

from fencepost.actors import Runtime
from fencepost.errors import WrongState
from fencepost.fences import PreemptState, Reservation, Usage, locked
from fencepost.hw.long_running.member import Member
from fencepost.hw.long_running.preempt_work import Dismiss, PreemptWork
from fencepost.hw.long_running.rebinder import REBIND, Rebinder
from fencepost.hw.long_running.suspendable import Suspendable
from fencepost.hw.memory import Vm
from fencepost.sync.observer import signalling
from fencepost.sync.tracking import published

__all__ = ["ComputeVm"]


@published("error")
class ComputeVm:
    """The queues of an address space, all of which leave the hardware when its memory is wanted, and come back with it.

        vm = ComputeVm(rt, memory_of_it, work)
        vm.join(queue)
        queue.entity.submit(...)

    A queue that joins is off the hardware until its memory is there. What is bound by then is what it may touch.

    Life cycle: *alive* -> *banned* (its memory could not be brought back, or `ban`): its queues were killed, and none
    can join. The lock of the `Vm` protects who its members are. (kernel: a xe_vm in preempt fence mode)

    Args:
        runtime: where the worker runs that brings memory back.
        vm: with all that the work may touch bound; nothing need be populated.
        work: who carries out preemptions.
        back_off_s: how long it stays off at least.
        rebinder: who brings memory back, a class of yours to try one step done otherwise.

    Attributes:
        error: 0, or the negative errno it was banned with.
    """

    def __init__(
        self,
        runtime: Runtime,
        vm: Vm,
        work: PreemptWork,
        *,
        back_off_s: float = 0.0,
        rebinder: type[Rebinder] = Rebinder,
    ) -> None:
        self.vm = vm
        self.error = 0
        self._work = work
        self._members: list[Member] = []
        self.rebinder = runtime.start(rebinder, self, back_off_s, name=f"rebind of {vm.name}")

    # The owner. Client context.

    def join(self, queue: Suspendable) -> Member:
        """Have a queue run only while the memory is there. Before its first job; blocks.

        If a preemption is under way, or memory is missing, its fence is armed and triggered at once, so that all
        queues come back together; then it returns when the queue is off.

        Raises OSError ECANCELED when it is banned.
        """
        with self.vm.lock.write():
            if self.error:
                raise OSError(errno.ECANCELED, f"{self!r} takes no queues any more")
            member = Member(queue, self._work, lambda: self.rebinder.post(REBIND))
            in_step = all(each.preemption.state is PreemptState.ACTIVE for each in self._members)
            self._members.append(member)
            with locked(self.vm.reservations()):
                reservations = self.reserve(1)
                publish(member, reservations)
            triggered = not (in_step and self.vm.unless_changed(_nothing))
            if triggered:
                # By which it is off: its first job would not wait for that.
                member.preemption.fence.wait()
        return member

    def leave(self, member: Member) -> None:
        """Have nothing more to do with a queue, which has nothing more to run. Blocks for the lock; idempotent."""
        with self.vm.lock.write():
            # Under the lock: the rebinder must not come upon one that is lost in the middle of bringing it back.
            if member in self._members:
                self._members.remove(member)
                with signalling():
                    member.preemption.lose()
                self._work.post(Dismiss(member))

    def ban(self, error: int) -> None:
        """Kill all queues, for good. The lock is held."""
        self.vm.lock.check_held()
        self.error = error
        for member in self._members:
            member.queue.kill()
            with signalling():
                member.preemption.lose()
            self._work.post(Dismiss(member))
        self._members.clear()

    # The rebinder. The lock is held.

    def absent(self) -> list[Member]:
        """Return the members to be brought back; none while all of them run. Those that were lost are forgotten."""
        self.vm.lock.check_held()
        self._members = [each for each in self._members if each.preemption.state is not PreemptState.LOST]
        active = all(each.preemption.state is PreemptState.ACTIVE for each in self._members)
        return [] if active else list(self._members)

    def reserve(self, count: int) -> tuple[Reservation, ...]:
        """Make room for the fences of `count` members; return where. All reservations are held."""
        reservations = self.vm.reservations()
        for reservation in reservations:
            reservation.reserve(count)
        return reservations

    def resume(self, members: list[Member], reservations: tuple[Reservation, ...]) -> None:
        """Arm and publish the next fences, then run. All reservations are held; never blocks, takes no memory."""
        with signalling(), ExitStack() as armed:
            back: list[Member] = []
            for member in members:
                # The work loses them at its end, perhaps by now.
                with suppress(WrongState):
                    armed.enter_context(member.preemption.resuming())
                    back.append(member)
            for member in back:
                publish(member, reservations)
            for member in back:
                member.queue.resume()

    def __repr__(self) -> str:
        return f"<compute vm {self.vm.name}, {'banned' if self.error else 'alive'}>"


def publish(member: Member, reservations: tuple[Reservation, ...]) -> None:
    """Have those find a member's fence who want the memory."""
    for reservation in reservations:
        reservation.add(member.preemption.fence, Usage.BOOKKEEP)


def _nothing() -> None:
    """Only ask."""
