"""What the firmware knows of a queue: its descriptor in memory, and what became of its packets."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import NamedTuple

from fencepost.fences import Fence, UserFence
from fencepost.hw.guc.contexts import Contexts
from fencepost.hw.guc.emission import Emission
from fencepost.hw.guc.messages import ContextId, Policies
from fencepost.hw.user_queue.doorbell import Doorbell
from fencepost.hw.user_queue.packet import Packet, UserWrite
from fencepost.hw.user_queue.protected_fences import ProtectedFences
from fencepost.hw.user_queue.ring import PacketRing
from fencepost.sync import WaitQueue, current
from fencepost.sync.tracking import tracked

__all__ = ["Mqd", "QueueState"]

NS_PER_US = 1000


class QueueState(enum.Enum):
    """Where a queue is.

    (amdgpu: enum amdgpu_userq_state)
    """

    UNMAPPED = "it has no hardware slot, and may have one"
    MAPPED = "it has a hardware slot"
    PREEMPTED = "the driver holds it off the hardware"
    HUNG = "it was reset, and runs no more"


class Numbers(NamedTuple):
    """What events call a packet by that has no other name."""

    context: int
    seqno: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What is said about a queue when it is made, and never changes.

    Attributes:
        id: its number in the firmware, and which life of that number.
        name: what reports call it.
        client: whom its time is charged to.
        process: whose it is.
        engines: where it may run.
    """

    id: ContextId
    name: str
    client: str
    process: Hashable
    engines: tuple[str, ...]


@tracked("error", "fetched", "turn", "waits_for", "wanted")
class Mqd:
    """A queue, as the firmware sees it (a memory queue descriptor), and its front end.

    The packets that can run are taken from the ring in order and put before an engine, as far as the first that must
    wait for a fence. The engine writes the number of each when it has executed it.

    It belongs to the firmware's actor, but for this: the doorbell is the user's; `batches`, `emissions`, `to_end`,
    `to_fault`, `wanted`, `executed_ns` and `_writes` are under the lock of the hardware; `state` may be read by
    anybody, who then knows how it was a moment ago. `lock` protects the user's side of the ring and `error`; a leaf.

    Attributes:
        identity: what never changes.
        policies: how it is scheduled.
        ring, doorbell, fences: its parts in memory.
        room: wakes those who wait for room in the ring, or for its end.
        default_preempt_us: where its packets can be preempted that do not say it.
        lost: called with the error when it hangs, faults or is lost with its device; it may only post.
        wake: has the firmware look when what it waits for has signalled.
        drained: has the firmware look when it has nothing more to execute, and somebody wants its slot.
        batches: what is before an engine, in order.
        state: where it is.
        error: 0, or the negative errno with which it ended.
        fetched: the number of the last packet that was put before an engine.
        waits_for: what the packet after that must wait for, None for nothing.
        turn: its place among those that wait for a slot, None while it does not wait.
        since_ns: when it got its slot.
        leaving: it is to give its slot back, and has not done so yet.
        emissions: the batches by number.
        to_end, to_fault: packets that are to end at once, or to access foreign memory, when they come to the engine.
        wanted: somebody waits for its slot: it is to say when it has nothing more to execute.
        executed_ns: how long its packets have executed that are complete, or were lost. Anybody may read it.
    """

    def __init__(
        self,
        identity: Identity,
        policies: Policies,
        ring: PacketRing,
        doorbell: Doorbell,
        fences: ProtectedFences,
        *,
        default_preempt_us: int,
        lost: Callable[[int], object] | None,
    ) -> None:
        self.identity = identity
        self.policies = policies
        self.ring = ring
        self.doorbell = doorbell
        self.fences = fences
        self.room = WaitQueue(f"room in the ring of {identity.name}")
        self.default_preempt_us = default_preempt_us
        self.lost = lost or _ignore
        self.lock = current().lock()
        self.wake: Callable[[Fence], object] = _ignore
        self.drained: Callable[[], object] = _nothing
        self.batches: deque[Emission] = deque()
        self.state = QueueState.UNMAPPED
        self.error = 0
        self.fetched = 0
        self.waits_for: Fence | None = None
        self.turn: int | None = None
        self.since_ns = 0
        self.leaving = False
        self.emissions: dict[int, Emission] = {}
        self.to_end: set[int] = set()
        self.to_fault: set[int] = set()
        self.wanted = False
        self.executed_ns = 0
        self._drained = False
        self._writes: deque[UserWrite] = deque()

    @property
    def priority(self) -> int:
        """How important it is; the lower number is the more important one."""
        return self.policies.priority

    # The front end. By the firmware.

    @property
    def idle(self) -> bool:
        """True when it has nothing before an engine."""
        return self.ring.rptr.load() == self.fetched

    @property
    def has_work(self) -> bool:
        """True when it could use a slot: looks at the pointers in memory, whether a doorbell was heard or not."""
        return not self.idle or (self.waits_for is None and self.ring.wptr.load() > self.fetched)

    def look(self) -> tuple[int, Fence | None]:
        """Return the number up to which packets can be put before an engine, and what the next must wait for."""
        wptr = self.ring.wptr.load()
        for number in range(self.fetched + 1, wptr + 1):
            for fence in self.ring.packet(number).waits:
                if not fence.signaled:
                    return number - 1, fence
        return wptr, None

    def fetch(self, contexts: Contexts, up_to: int) -> None:
        """Put packets before an engine. Under the lock of the hardware."""
        for number in range(self.fetched + 1, up_to + 1):
            emission = self._emission(number, self.ring.packet(number))
            if number in self.to_fault:
                contexts.faulting.add(emission)
            self.emissions[number] = emission
            self.batches.append(emission)
        self.fetched = up_to
        contexts.kick(contexts.contexts[self.identity.id.number])

    def _emission(self, number: int, packet: Packet) -> Emission:
        left_ns = None if packet.duration_us is None else round(packet.duration_us * NS_PER_US)
        preempt_us = self.default_preempt_us if packet.preempt_us is None else packet.preempt_us
        return Emission(
            client=self.identity.client,
            finished=packet.label or Numbers(self.fences.context, number),
            irq=self,
            seqno=number,
            left_ns=0 if number in self.to_end else left_ns,
            granularity_ns=preempt_us * NS_PER_US,
        )

    # The engine.

    def note(self, seqno: int, end_ns: int) -> None:
        """Note that a packet is complete: from here on its place in the ring is free. Under the engine's lock."""
        emission = self.emissions.pop(seqno, None)
        if emission is None:
            # Said before: it is said until somebody has come to `walk`.
            return
        self.executed_ns += emission.ran_ns
        packet = self.ring.packet(seqno)
        if packet.write is not None:
            self._writes.append(packet.write)
        if packet.protected:
            self.fences.note(seqno, end_ns)
        self.to_end.discard(seqno)
        self.to_fault.discard(seqno)
        self.ring.rptr.store(seqno)
        if self.wanted and not self.emissions:
            self.wanted, self._drained = False, True

    def walk(self) -> None:
        """Write what was to be written, then signal, then wake who waits for room. Irq context; one task at a time."""
        while self._writes:
            write = self._writes.popleft()
            write.fence.write(write.value)
        self.fences.walk()
        self.room.wake_all()
        if self._drained:
            self._drained = False
            self.drained()

    # The end.

    def drop(self) -> None:
        """Have nothing before an engine any more. Under the lock of the hardware."""
        self.executed_ns += sum(emission.ran_ns for emission in self.emissions.values())
        self.emissions.clear()
        self.batches.clear()

    def fail(self, error: int) -> None:
        """End all that wait for its packets, and take no more. By the firmware, once it is off the hardware."""
        with self.lock:
            self.error = error
        self.fences.fail_all(error)
        for fence in self._unwritten():
            fence.fail()
        self.room.wake_all()

    def _unwritten(self) -> list[UserFence]:
        """Return the user fences that will not be written any more."""
        numbers = range(self.ring.rptr.load() + 1, self.ring.wptr.load() + 1)
        writes = [self.ring.packet(number).write for number in numbers]
        return [write.fence for write in writes if write is not None]

    def __repr__(self) -> str:
        return f"<{self.identity.name} {self.state.name.lower()}>"


def _nothing() -> None:
    """Tell nobody: the firmware does not know it yet."""


def _ignore(_what: object) -> None:
    """As `_nothing`."""
