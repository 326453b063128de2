"""A user queue as its user sees it."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fencepost.fences import Fence
from fencepost.hw.guc.messages import Policies
from fencepost.hw.user_queue.messages import Remove, SetPolicies
from fencepost.hw.user_queue.mqd import Mqd, QueueState
from fencepost.hw.user_queue.packet import Packet
from fencepost.policies import Priority
from fencepost.sync import Gate, current, deadline_ns
from fencepost.sync.tracking import tracked

if TYPE_CHECKING:
    from fencepost.hw.user_queue.process import Process

__all__ = ["UserQueue"]


@tracked("_protected", "_removal")
class UserQueue:
    """A ring of packets and a doorbell. Made by `Process.queue`.

        number = queue.submit(Packet(duration_us=100, protected=True))
        queue.fence(number).wait()

    Packets are written, published and rung for by the thread that has them: nothing is asked of anybody, and the only
    message is the doorbell. They are executed in order. A kernel fence is made when somebody asks for one.

    Life cycle: *alive* -> *dead*: it was destroyed, hangs, or has lost its device; then `error` says why, and whatever
    is pending ends with an error.

    Any context, where nothing else is said. The lock of its `Mqd` protects `_protected` and `_removal`.

    Attributes:
        process: whose it is.
        mqd: what the firmware knows of it.
    """

    def __init__(self, process: Process, mqd: Mqd, offset: int, *, aggregated: bool) -> None:
        self.process = process
        self.mqd = mqd
        self.doorbell_offset = offset
        self._aggregated = aggregated
        # The number of the last packet that a kernel fence can stand for.
        self._protected = 0
        self._removal: Gate | None = None

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.mqd.identity.name

    @property
    def state(self) -> QueueState:
        """Where it was a moment ago."""
        return self.mqd.state

    @property
    def error(self) -> int:
        """0, or the negative errno with which it ended."""
        with self.mqd.lock:
            return self.mqd.error

    # Submission.

    def submit(self, *packets: Packet, block: bool = False, timeout_s: float | None = None) -> int:
        """Write packets, publish them, and ring the doorbell; return the number of the last.

        Args:
            packets: in order; all of them, or none.
            block: wait for room in the ring, in client context; else a full ring is refused.
            timeout_s: how long.

        Raises:
            OSError: EINVAL for no packets, or more than the ring holds; EWOULDBLOCK when there is no room, ETIME when
                there was none in time; EIO or what it died of when it is dead.
        """
        number = self._put(packets, block=block, timeout_s=timeout_s, publish=True)
        self._ring()
        return number

    def write(self, *packets: Packet, block: bool = False, timeout_s: float | None = None) -> int:
        """Write packets behind those in the ring, and do not show them to the firmware yet. As `submit`."""
        return self._put(packets, block=block, timeout_s=timeout_s, publish=False)

    def publish(self) -> None:
        """Show the firmware all that was written, whenever it looks. Raises OSError as `ring_doorbell`."""
        with self.mqd.lock:
            self._check_locked()
            self.mqd.ring.publish()

    def ring_doorbell(self) -> None:
        """Have the firmware look at the ring. Never blocks.

        Raises OSError with what it died of, if it is dead: nobody hears.
        """
        with self.mqd.lock:
            self._check_locked()
        self._ring()

    def _ring(self) -> None:
        self.mqd.doorbell.ring()
        if self._aggregated:
            self.process.mes.aggregated.ring()

    def _put(self, packets: Sequence[Packet], *, block: bool, timeout_s: float | None, publish: bool) -> int:
        size = self.mqd.ring.size
        if not 1 <= len(packets) <= size:
            raise OSError(errno.EINVAL, f"{len(packets)} packets for {self.name}, expected 1 to {size}, its size")
        when_ns = deadline_ns(timeout_s)
        if (number := self._try(packets, publish=publish)) is not None:
            return number
        if not block:
            raise OSError(errno.EWOULDBLOCK, f"the ring of {self.name} has no room for {len(packets)} more packets")
        while True:
            waiter = current().waiter()
            self.mqd.room.add(waiter.wake)
            try:
                if (number := self._try(packets, publish=publish)) is not None:
                    return number
                if not waiter.wait(when_ns, self.mqd.room):
                    raise OSError(errno.ETIME, f"the ring of {self.name} had no room for {len(packets)} more packets")
            finally:
                self.mqd.room.remove(waiter.wake)

    def _try(self, packets: Sequence[Packet], *, publish: bool) -> int | None:
        """Write packets if there is room for all of them."""
        with self.mqd.lock:
            self._check_locked()
            ring = self.mqd.ring
            if len(packets) > ring.room:
                return None
            number = ring.write(packets)
            if publish:
                ring.publish()
            for place, packet in enumerate(reversed(packets)):
                if packet.protected:
                    self._protected = number - place
                    break
            return number

    def _check_locked(self) -> None:
        if self.mqd.error:
            raise OSError(-self.mqd.error, f"{self!r} takes nothing any more")
        if self._removal is not None:
            raise OSError(errno.ECANCELED, f"{self!r} is being destroyed")

    # Completion.

    def fence(self, number: int | None = None) -> Fence:
        """Return a kernel fence that signals when the packets up to `number` are complete; None is the last protected.

        From here on the device watches it. Raises OSError EINVAL where no protected packet stands at that number.
        (amdgpu: the user queue signal ioctl)
        """
        with self.mqd.lock:
            last = self._protected
        number = last if number is None else number
        if not 1 <= number <= last:
            raise OSError(
                errno.EINVAL, f"a fence of {self.name} at {number}, expected a protected packet, up to {last}"
            )
        return self.mqd.fences.at(number)

    # What can be done to it.

    def set_priority(self, priority: Priority) -> None:
        """Change how important it is."""
        policies = self.mqd.policies
        changed = Policies(int(priority), policies.quantum_us, policies.preempt_timeout_us)
        self.process.mes.firmware.post(SetPolicies(self.mqd, changed))

    def terminate(self, number: int) -> None:
        """Have a packet end: now if it executes, else as soon as its turn has come. A complete one is ignored."""
        mqd = self.mqd
        with self.process.mes.hardware as contexts:
            if mqd.ring.rptr.load() < number:
                mqd.to_end.add(number)
                if number in mqd.emissions:
                    contexts.terminate(mqd.emissions[number])

    def fault(self, number: int) -> None:
        """Have a packet that has not come to an engine access foreign memory there."""
        with self.process.mes.hardware as contexts:
            self.mqd.to_fault.add(number)
            if number in self.mqd.emissions:
                contexts.faulting.add(self.mqd.emissions[number])

    def remove(self, *, at_once: bool = False) -> Gate:
        """Begin to destroy it: what is pending ends with -ECANCELED. The gate opens when it is gone. Idempotent.

        `at_once`: a packet that executes gets no time to come to a point of preemption.
        """
        with self.mqd.lock:
            first = self._removal is None
            gone = self._removal = self._removal or Gate(f"the end of {self.name}")
        if first:
            self.process.mes.firmware.post(Remove(self.mqd, gone, at_once))
        return gone

    def destroy(self, *, at_once: bool = False) -> None:
        """Destroy it, and let others have its doorbell. Client context; blocks until it is gone. Idempotent."""
        with self.mqd.lock:
            first = self._removal is None
        self.remove(at_once=at_once).wait()
        if first:
            self.process.page.give_back(self.doorbell_offset)

    def __repr__(self) -> str:
        return f"<UserQueue {self.name} {self.state.name.lower()}>"
