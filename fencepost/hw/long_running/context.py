"""Work that can fault, as its firmware knows it: what is left to do of it, and whether it is on its engine."""

from __future__ import annotations

import errno
from collections import deque
from typing import Final

from fencepost.actors import Job
from fencepost.actors.job import HardwareFence
from fencepost.fences import Fence
from fencepost.hw.batch import Batch, granularity_ns
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.execution import Execution, RingBuffer
from fencepost.sync import Timer

__all__ = ["SAVED", "Context", "Piece"]

SAVED: Final = -errno.EAGAIN
"""What a batch ends with that was only taken off: it will be put there again."""


class Piece:
    """A job in a context, which may be on the engine several times before it is complete.

    Attributes:
        job: which.
        fence: signals when it is complete, or will not be. Any context may signal it.
        execution: its last stay on the engine; None before the first.
    """

    __slots__ = ("execution", "fence", "job")

    def __init__(self, job: Job, fence: HardwareFence) -> None:
        self.job = job
        self.fence = fence
        self.execution: Execution | None = None

    @property
    def on_engine(self) -> bool:
        """Whether it is there, as far as anybody has taken it off or it has ended."""
        return self.execution is not None and self.execution.end_ns is None

    def next_execution(self, ring: RingBuffer, preempt_us: int) -> Execution:
        """Return what goes on where the last stay ended."""
        job, before = self.job, self.execution
        self.execution = execution = Execution(
            ring=ring,
            client=job.entity.client,
            finished=job.finished,
            fence=Fence(name=f"a stay of {job!r}"),
            left_ns=None if job.duration_us is None else round(job.duration_us * 1000),
            granularity_ns=granularity_ns(job.work, preempt_us),
        )
        if isinstance(job.work, Batch):
            execution.memory = job.work.memory
            execution.touches = job.work.touches_ns
            execution.leaves_stalled = job.work.leaves_stalled
        if before is not None:
            execution.left_ns, execution.touched = before.left_ns, before.touched
            execution.executed_ns, execution.stalled_ns = before.executed_ns, before.stalled_ns
        return execution


class Context:
    """What a `FaultingQueue` has on its engine. It belongs to the firmware, all of it.

    Life cycle: *on* the engine <-> *off*, while somebody holds it; *dead* once it would not leave and was reset.

    Attributes:
        name: of its queue.
        pieces: what is not complete, oldest first.
        holders: how many hold it off.
        leaving: those to be told when it is off; empty unless it is to leave and cannot yet.
        attempt: how often it was to leave. `timer` is for the last time.
        dead: nothing of it runs any more.
    """

    __slots__ = ("_engine", "_preempt_us", "_ring", "attempt", "dead", "holders", "leaving", "name", "pieces", "timer")

    def __init__(self, name: str, engine: ClockedEngine, ring: RingBuffer, preempt_us: int) -> None:
        self.name = name
        self.pieces: deque[Piece] = deque()
        self.holders = self.attempt = 0
        self.leaving: list[Fence] = []
        self.timer: Timer | None = None
        self.dead = False
        self._engine = engine
        self._ring = ring
        self._preempt_us = preempt_us

    @property
    def can_leave(self) -> bool:
        """Whether it can be saved now: not at a fault, unless its work says so. Asks the engine."""
        first = self.pieces[0].execution if self.pieces else None
        return first is None or first.leaves_stalled or not self._engine.is_stalled(first)

    def put_on(self, piece: Piece) -> Fence | None:
        """Put a piece on the engine; return what signals when it comes off. None when it was cancelled by then."""
        if piece.fence.signaled:
            return None
        execution = piece.next_execution(self._ring, self._preempt_us)
        self._engine.submit(piece.job, execution)
        return execution.fence

    def drop(self, piece: Piece) -> None:
        """Forget a piece whose job is freed, also where it was cancelled and put on the engine at the same time."""
        if piece.on_engine and piece.execution is not None:
            with self._engine as engine:
                engine.cancel(piece.execution, -errno.ECANCELED)
        self._engine.forget(piece.job)
        if piece in self.pieces:
            self.pieces.remove(piece)

    def take_off(self, error: int) -> None:
        """Take all pieces off the engine, with an error for their stay; what had ended, has."""
        with self._engine as engine:
            # The newest first, or the next would start when the first is gone.
            for piece in reversed(self.pieces):
                if piece.execution is not None:
                    engine.cancel(piece.execution, error)

    def __repr__(self) -> str:
        return f"<context of {self.name}{', dead' if self.dead else ''}, held by {self.holders}>"
