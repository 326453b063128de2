"""What a job tells the engine that executes it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Batch", "granularity_ns"]


@dataclass(frozen=True, slots=True)
class Batch:
    """The `work` of a job for a ring: `entity.submit(duration_us=500, work=Batch(preempt_us=50))`.

    How long it executes is the job's `duration_us`. A job with any other `work` takes the defaults.

    Args:
        preempt_us: it can be preempted after each so many microseconds of its own execution; 0 for never, None for the
            default of its GPU.

    Raises:
        ValueError: for a negative number.
    """

    preempt_us: int | None = None

    def __post_init__(self) -> None:
        if self.preempt_us is not None and self.preempt_us < 0:
            raise ValueError(f"a batch that can be preempted every {self.preempt_us} us, expected 0 or more")


def granularity_ns(work: object, default_us: int) -> int:
    """Return how much a job executes from one point of preemption to the next; 0 when it has none."""
    asked_us = work.preempt_us if isinstance(work, Batch) else None
    return 1000 * (default_us if asked_us is None else asked_us)
