"""What an engine keeps account of: rings of batches, and the stretches in which it executed them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from fencepost.actors.job import HardwareFence
from fencepost.fences import Fence
from fencepost.hw.access import AddressSpace

__all__ = ["Execution", "PageFault", "RingBuffer", "Stretch"]


class RingBuffer:
    """The batches that one ring has for its engine, oldest first. The oldest runs or waits; the others wait behind it.

    Attributes:
        priority: the lower number is the more important one.
        batches: those that have not ended.
        turn: its place in the order of waiting, None while it does not wait. Kept by the arbiter.
    """

    __slots__ = ("batches", "priority", "turn")

    def __init__(self, priority: int) -> None:
        self.priority = priority
        self.batches: deque[Execution] = deque()
        self.turn: int | None = None


@dataclass(frozen=True, slots=True)
class PageFault:
    """A batch used an address that it may not.

    Attributes:
        vm_known: whether the hardware can tell whose it was.
    """

    vm_known: bool = True


@dataclass(slots=True, kw_only=True, eq=False)
class Execution:
    """A batch on an engine.

    Life cycle: *waiting* -> *running* (-> *waiting* -> *running*, when preempted) -> *ended* (`end_ns` is known). From
    *running* it can get stuck, by a fault; a reset takes it away, or back to *waiting*, to run from its start.

    Attributes:
        ring: what it came by.
        client: whom its time is charged to.
        finished: the finished fence of its job, by whose numbers events call it.
        fence: signals that it has ended.
        left_ns: how much is left to execute, when the stretch that runs now began; None when it ends only if told.
        granularity_ns: how much it executes from one point of preemption to the next; 0 when it has none.
        total_ns: how much there was to execute at first.
        executed_ns: how long it was executed, in the stretches that have ended, since it came or was sent back to its
            start.
        started: whether it was executed at all, since then.
        fault: what it does, or will do when it runs.
        memory: where it finds what it touches; None where that is of no interest.
        touches: how far it is executed, in ns, when it touches which address; in order.
        touched: how many of these it has come past.
        stalled: it waits for what it wants to touch next, and makes no headway.
        stalled_ns: how much of `executed_ns` it was so.
        leaves_stalled: whether it can be preempted meanwhile.
        waits: how often its time was up while others had the engine.
        error: 0, or the negative errno it ended with.
        end_ns: when it ended, in hardware time.
    """

    ring: RingBuffer
    client: str
    finished: Fence
    fence: Fence
    left_ns: int | None
    granularity_ns: int
    total_ns: int | None = field(init=False)
    executed_ns: int = 0
    started: bool = False
    fault: PageFault | None = None
    memory: AddressSpace | None = None
    touches: Sequence[tuple[int, int]] = ()
    touched: int = 0
    stalled: bool = False
    stalled_ns: int = 0
    leaves_stalled: bool = False
    waits: int = 0
    error: int = 0
    end_ns: int | None = None

    def __post_init__(self) -> None:
        self.total_ns = self.left_ns

    @property
    def next_touch_ns(self) -> int | None:
        """How much it will execute before it touches something, from the beginning of the stretch that runs now."""
        if self.stalled or self.fault is not None or self.touched == len(self.touches):
            return None
        return self.touches[self.touched][0] - (self.executed_ns - self.stalled_ns)

    def signal(self) -> None:
        """Say that it has ended, as of then. Idempotent; any context; no engine's lock may be held."""
        assert self.end_ns is not None
        if isinstance(self.fence, HardwareFence):
            self.fence.executed_ns = self.executed_ns
        self.fence.signal(self.error, timestamp_ns=self.end_ns)


@dataclass(frozen=True, slots=True)
class Stretch:
    """An engine executed a batch without a break."""

    execution: Execution
    start_ns: int
    end_ns: int
