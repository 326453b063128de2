"""A job as it stands in the ring of a context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fencepost.actors.job import HardwareFence

__all__ = ["Emission", "Numbered", "Written"]


class Numbered(Protocol):
    """What events call a piece of work by, such as the finished fence of a job."""

    @property
    def context(self) -> int: ...

    @property
    def seqno(self) -> int: ...


class Written(Protocol):
    """What is told of the numbers that engines write."""

    def note(self, seqno: int, end_ns: int, /) -> None:
        """Note that an engine has written `seqno`; `walk` is to follow. Under the engine's lock; maybe repeatedly."""
        ...

    def walk(self) -> None:
        """Tell of what was noted. Any context; no lock is held."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class Emission:
    """What a job made a queue write into its ring. A job that is replayed is emitted again.

    Life cycle: *waiting* -> *started* (-> preempted, resumed ...) -> *ended* (its seqno was written), or dropped.

    Attributes:
        client: whom its time is charged to.
        finished: the finished fence of its job, or what else events call it by.
        irq: is told of the seqno when it has ended.
        seqno: what it writes.
        left_ns: how much is left to execute, when the stretch that runs now began; None when it ends only if told.
        granularity_ns: how much it executes from one point of preemption to the next; 0 when it has none.
        ran_ns: how much it executed before the stretch that runs now.
        started: it has been on an engine.
        end_ns: when it ended, in hardware time.
        fence: is told how long it executed, at the end of each stretch; None when nobody asks.
    """

    client: str
    finished: Numbered
    irq: Written
    seqno: int
    left_ns: int | None
    granularity_ns: int
    ran_ns: int = 0
    started: bool = False
    end_ns: int | None = None
    fence: HardwareFence | None = None
