"""What the tests of evictions share: devices that take queues off as told, and I23, looked at where it could break."""

from __future__ import annotations

import errno
from collections.abc import Generator
from contextlib import contextmanager

from fencepost import Runtime
from fencepost.fences import Fence, Usage
from fencepost.fences.preempt_fence import PreemptFence
from fencepost.hw.eviction import ComputeProcess, EvictionCounts
from fencepost.hw.memory import PAGE_BYTES, Binding, BufferObject, MemoryManager, Placement, Vm
from fencepost.sync import Gate, current
from tests.searching import FIELDS, joined

__all__ = ["AT", "SHARED", "Card", "Watched", "WatchedVm", "busy", "evicted_by_others", "spill"]

AT = 0x10000
MOST_RUNS = 200
SHARED = {**FIELDS, ComputeProcess: "_fence _over _since_ns", EvictionCounts: "_everywhere"}


class Card:
    """The queues of a process on a device; they are off so long after they were told, or never (None).

    `_lock` protects the holds and those to be told; a leaf.
    """

    def __init__(self, vm: WatchedVm, name: str = "card", *, leave_us: float | None = 0) -> None:
        self.vm = vm
        self.name = name
        self.leave_us = leave_us
        self.holds = 0
        # What was never held was never released.
        self.was_held = self.is_on = False
        self.stretches_us: list[tuple[float, float]] = []
        self._lock = current().lock()
        self._gates: list[Gate] = []
        self._since_ns = 0
        vm.cards.append(self)

    def hold(self) -> Gate:
        gate = Gate(f"{self.name} off")
        with self._lock:
            self.holds += 1
            self.was_held = True
            self._gates.append(gate)
        if self.leave_us == 0:
            self.take_off()
        elif self.leave_us is not None:
            current().timers.call_at(current().now_ns() + round(self.leave_us * 1000), self.take_off)
        return gate

    def take_off(self) -> None:
        with self._lock:
            if not self.holds:
                return
            if self.is_on:
                self.stretches_us.append((self._since_ns / 1000, current().now_ns() / 1000))
            self.is_on = False
            gates, self._gates = self._gates, []
        for gate in gates:
            gate.open()

    def release(self) -> None:
        with self._lock:
            self.holds -= 1
            assert self.holds >= 0, f"{self.name} is released more often than held"
            if not self.holds and not self.is_on:
                self.is_on = True
                self._since_ns = current().now_ns()
                self.vm.check_fenced()

    def __repr__(self) -> str:
        return f"<{self.name}>"


class WatchedVm(Vm):
    """I23, first half: a buffer moves only when all queues of the process are off all devices; and the other half."""

    def __init__(self, memory: MemoryManager, name: str = "a") -> None:
        super().__init__(memory, name, long_running=True)
        self.cards: list[Card] = []
        self.moves = 0

    def invalidate(self, binding: Binding) -> None:
        if binding.valid:
            self.moves += 1
            assert not any(card.is_on for card in self.cards), f"{binding} moves under queues that run"
        super().invalidate(binding)

    def check_fenced(self) -> None:
        """All memory is there, and each buffer has an eviction fence that has not signalled."""
        for binding in self.bindings():
            assert binding.valid
            reservation = self.reservation if binding.buffer is None else binding.buffer.reservation
            fences = reservation.get_fences(Usage.BOOKKEEP)
            assert any(isinstance(fence, PreemptFence) for fence in fences), f"{binding} without an eviction fence"


class Watched(ComputeProcess):
    """I23, second half: the fence signals without an error only when all queues are off.

    Attributes:
        owned: an error for each signal that was the first.
        brought_back: opens when it was brought back so often.
    """

    vm: WatchedVm

    def __init__(self, rt: Runtime, vm: WatchedVm, **times: float) -> None:
        self.owned: list[int] = []
        self.brought_back = [Gate(f"run {number} of {vm.name}") for number in range(MOST_RUNS)]
        super().__init__(rt, vm, **times)

    def signal(self, fence: Fence, error: int) -> bool:
        assert error or not any(card.is_on for card in self.vm.cards), "the fence signals, and queues run"
        first = super().signal(fence, error)
        if first:
            self.owned.append(error)
        return first

    def bring_back(self) -> None:
        super().bring_back()
        self.brought_back[self.runs].open()

    def settle(self) -> None:
        """Wait until it runs. Nobody may begin to evict it meanwhile."""
        while True:
            runs, fence = self.runs, self.fence
            if fence is not None and not fence.signaled:
                return
            self.brought_back[runs + 1].wait()

    def check_runs(self) -> None:
        """All queues are on; each eviction that was owned was undone once, and no other ever began one."""
        for card in self.vm.cards:
            assert (card.holds, card.is_on, self.evictions(card)) == (0, card.was_held, 0)
        self.vm.check_fenced()
        assert self.runs == 1 + len(self.owned)


def spill(memory: MemoryManager, pages: int, name: str = "other") -> BufferObject:
    """Have a buffer take memory, for which others must leave."""
    other = memory.create(pages * PAGE_BYTES, name)
    with memory.validated([other], Placement.VRAM):
        pass
    return other


@contextmanager
def busy() -> Generator[None]:
    """Put up with an eviction that is not in time."""
    try:
        yield
    except OSError as refused:
        if refused.errno != errno.EBUSY:
            raise


def evicted_by_others(rt: Runtime, process: ComputeProcess, *names: str) -> list[bool]:
    """Have so many tasks evict a process, and say who of them owned that, of those that were in time."""
    owners: list[bool] = []

    def evict() -> None:
        with busy():
            owners.append(process.evict())

    joined(*(rt.spawn(evict, name) for name in names))
    return owners
