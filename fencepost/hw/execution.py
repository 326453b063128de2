"""What an engine keeps account of: rings of batches, and the stretches in which it executed them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from fencepost.fences import Fence

__all__ = ["Execution", "RingBuffer", "Stretch"]


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


@dataclass(slots=True, kw_only=True, eq=False)
class Execution:
    """A batch on an engine.

    Life cycle: *waiting* -> *running* (-> *waiting* -> *running*, when preempted) -> *ended* (`end_ns` is known).

    Attributes:
        ring: what it came by.
        client: whom its time is charged to.
        finished: the finished fence of its job, by whose numbers events call it.
        fence: signals that it has ended.
        left_ns: how much is left to execute, when the stretch that runs now began; None when it ends only if told.
        granularity_ns: how much it executes from one point of preemption to the next; 0 when it has none.
        error: 0, or the negative errno it ended with.
        end_ns: when it ended, in hardware time.
    """

    ring: RingBuffer
    client: str
    finished: Fence
    fence: Fence
    left_ns: int | None
    granularity_ns: int
    error: int = 0
    end_ns: int | None = None

    def signal(self) -> None:
        """Say that it has ended, as of then. Idempotent; any context; no engine's lock may be held."""
        assert self.end_ns is not None
        self.fence.signal(self.error, timestamp_ns=self.end_ns)


@dataclass(frozen=True, slots=True)
class Stretch:
    """An engine executed a batch without a break."""

    execution: Execution
    start_ns: int
    end_ns: int
