"""A job as it stands in the ring of a context."""

from __future__ import annotations

from dataclasses import dataclass

from fencepost.fences import Fence
from fencepost.hw.guc.fence_irq import FenceIrq

__all__ = ["Emission"]


@dataclass(slots=True, kw_only=True, eq=False)
class Emission:
    """What a job made a queue write into its ring. A job that is replayed is emitted again.

    Life cycle: *waiting* -> *started* (-> preempted, resumed ...) -> *ended* (its seqno was written), or dropped.

    Attributes:
        client: whom its time is charged to.
        finished: the finished fence of its job, by whose numbers events call it.
        irq: is told of the seqno when it has ended.
        seqno: what it writes.
        left_ns: how much is left to execute, when the stretch that runs now began; None when it ends only if told.
        granularity_ns: how much it executes from one point of preemption to the next; 0 when it has none.
        ran_ns: how much it executed before the stretch that runs now.
        started: it has been on an engine.
        end_ns: when it ended, in hardware time.
    """

    client: str
    finished: Fence
    irq: FenceIrq
    seqno: int
    left_ns: int | None
    granularity_ns: int
    ran_ns: int = 0
    started: bool = False
    end_ns: int | None = None
