"""A device that does nothing but complete jobs: after their duration, or when it is told."""

from __future__ import annotations

import errno

from fencepost.actors import Job, Recovery, Status
from fencepost.events import EventRing
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.ring import Ring
from fencepost.sync import World

__all__ = ["MockBackend"]


class MockBackend(Ring):
    """Completes jobs in the order they came, when their time is up or when told.

    A ring with an engine of its own, named after its scheduler. A job with a duration starts when the one before it
    ends, or at once, and completes by itself; one without waits for `advance`, and everything behind it waits too.

    The kernel's device (the mock scheduler of the KUnit tests) fixes the end of a job when it is submitted; this one
    starts it when its turn has come. They differ behind a job that ended by `advance` or by a cancel, where the
    kernel's runs two jobs at once, or none.
    """

    def __init__(self) -> None:
        super().__init__(ClockedEngine("mock"), priority=0, preempt_us=0)
        self._spared: set[Job] = set()

    def attach(self, world: World, ring: str, events: EventRing | None) -> None:
        super().attach(world, ring, events)
        self._engine.name = ring

    def spare(self, job: Job) -> None:
        """Have `timedout_job` find that this job does not hang, each time. Any context, before its time is up."""
        self._spared.add(job)

    def timedout_job(self, job: Job, recovery: Recovery) -> Status:  # noqa: ARG002 - the contract's
        """End the job with -ETIMEDOUT, unless it is spared. Nobody is to blame."""
        if job in self._spared:
            return Status.NO_HANG
        self.abort(job, -errno.ETIMEDOUT)
        return Status.RESET

    def free_job(self, job: Job) -> None:
        super().free_job(job)
        self._spared.discard(job)

    def advance(self, count: int = 1) -> int:
        """Complete the next `count` jobs, whatever their duration; return how many there were. Any context.

        Jobs whose time is up are complete, and do not count. When it returns, the hardware fences have signalled,
        unless another task was just signalling some: then it does these too.

        Raises:
            WrongState: when it has no scheduler yet.
        """
        batches = self._buffer.batches
        with self._engine as engine:
            count = min(count, len(batches))
            for _ in range(count):
                # The oldest runs: nobody else uses the engine.
                engine.terminate(batches[0])
        return count
