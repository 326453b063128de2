"""What a job tells the engine that executes it."""

from __future__ import annotations

from dataclasses import dataclass

from fencepost.hw.access import AddressSpace

__all__ = ["Batch", "granularity_ns"]


@dataclass(frozen=True, slots=True)
class Batch:
    """The `work` of a job for a ring: `entity.submit(duration_us=500, work=Batch(preempt_us=50))`.

    How long it executes is the job's `duration_us`. A job with any other `work` takes the defaults.

    Args:
        preempt_us: it can be preempted after each so many microseconds of its own execution; 0 for never, None for the
            default of its GPU.
        memory: its address space; None where memory is no matter.
        touches: `(after_us, address)`: how far it is executed when it touches memory, in order. It waits there, on its
            engine, until the page tables lead on; so much time is not among that of its execution.
        leaves_stalled: whether it can be preempted while it waits so.

    Raises:
        ValueError: for a negative number, touches that are not in order or without an address space.
    """

    preempt_us: int | None = None
    memory: AddressSpace | None = None
    touches: tuple[tuple[float, int], ...] = ()
    leaves_stalled: bool = False

    def __post_init__(self) -> None:
        if self.preempt_us is not None and self.preempt_us < 0:
            raise ValueError(f"a batch that can be preempted every {self.preempt_us} us, expected 0 or more")
        moments = [0.0, *(after_us for after_us, _ in self.touches)]
        if moments != sorted(moments):
            raise ValueError(f"a batch that touches memory after {moments[1:]} us, expected 0 or more and in order")
        if self.touches and self.memory is None:
            raise ValueError("a batch that touches memory and has no address space")

    @property
    def touches_ns(self) -> tuple[tuple[int, int], ...]:
        """Its touches, in nanoseconds."""
        return tuple((round(after_us * 1000), address) for after_us, address in self.touches)


def granularity_ns(work: object, default_us: int) -> int:
    """Return how much a job executes from one point of preemption to the next; 0 when it has none."""
    asked_us = work.preempt_us if isinstance(work, Batch) else None
    return 1000 * (default_us if asked_us is None else asked_us)
