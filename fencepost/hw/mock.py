"""A device that does nothing but complete jobs: after their duration, or when it is told."""

from __future__ import annotations

import errno
from collections import deque
from dataclasses import dataclass

from fencepost.actors import Job
from fencepost.errors import WrongState
from fencepost.events import EventRing
from fencepost.events.kinds import BATCH
from fencepost.fences import Fence, context_alloc
from fencepost.sync import Timer, World

__all__ = ["MockBackend"]


@dataclass(slots=True)
class Submission:
    """A job on the device. `end_ns` is None for one that waits to be told."""

    job: Job
    fence: Fence
    start_ns: int
    end_ns: int | None


class MockBackend:
    """Completes jobs in the order they came. (kernel: the mock scheduler of the KUnit tests)

    A job with a duration starts when the one before it ends, or at once, and completes by itself; one without waits for
    `advance`, and everything behind it waits too. The device's time is kept by deadlines, not by wake-ups: a late timer makes
    a late signal, never a longer job.

    One scheduler a backend. `_lock` protects all fields; fences are signalled after it was dropped.
    """

    def __init__(self) -> None:
        self._world: World | None = None
        self._context = context_alloc()
        self._submitted = 0
        self._queue: deque[Submission] = deque()
        self._timer: Timer | None = None
        self._busy_until_ns = 0

    def attach(self, world: World, ring: str, events: EventRing | None) -> None:
        if self._world is not None:
            raise WrongState(f"{self._ring}: a backend serves one scheduler, and this one has one")
        self._world = world
        self._ring = ring
        self._record = None if events is None else events.record
        self._lock = world.lock()

    def run_job(self, job: Job) -> Fence:
        now_ns = self._clock().now_ns()
        with self._lock:
            self._submitted += 1
            fence = Fence(self._context, self._submitted, name=f"{self._ring} hardware")
            start_ns = max(now_ns, self._busy_until_ns)
            end_ns = None if job.duration_us is None else start_ns + round(job.duration_us * 1000)
            self._busy_until_ns = start_ns if end_ns is None else end_ns
            self._queue.append(Submission(job, fence, start_ns, end_ns))
            self._arm_locked()
        return fence

    def advance(self, count: int = 1) -> int:
        """Complete the next `count` jobs, whatever their duration; return how many there were. Any context."""
        with self._lock:
            done = [self._queue.popleft() for _ in range(min(count, len(self._queue)))]
            self._arm_locked()
        for submission in done:
            self._complete(submission, self._clock().now_ns())
        return len(done)

    def cancel_job(self, job: Job) -> None:
        with self._lock:
            taken = [each for each in self._queue if each.job is job]
            for submission in taken:
                self._queue.remove(submission)
            self._arm_locked()
        for submission in taken:
            submission.fence.signal(-errno.ECANCELED)

    def free_job(self, job: Job) -> None:
        """Nothing is kept of a completed job."""

    def _clock(self) -> World:
        if self._world is None:
            raise WrongState("the backend has no scheduler yet: give it to Runtime.scheduler first")
        return self._world

    def _arm_locked(self) -> None:
        """Have the timer fire when the first job ends, if that is known."""
        end_ns = self._queue[0].end_ns if self._queue else None
        if self._timer is not None and (end_ns is None or self._timer.deadline_ns != end_ns):
            self._timer.cancel()
            self._timer = None
        if end_ns is not None and (self._timer is None or not self._timer.armed):
            self._timer = self._clock().timers.call_at(end_ns, self._expire)

    def _expire(self) -> None:
        """Complete what is due, from the front. Irq context."""
        now_ns = self._clock().now_ns()
        due: list[Submission] = []
        with self._lock:
            while self._queue and (end_ns := self._queue[0].end_ns) is not None and end_ns <= now_ns:
                due.append(self._queue.popleft())
            self._arm_locked()
        for submission in due:
            assert submission.end_ns is not None
            self._complete(submission, submission.end_ns)

    def _complete(self, submission: Submission, end_ns: int) -> None:
        if self._record is not None:
            job = submission.job
            fence = job.finished
            self._record(
                (end_ns, BATCH, self._ring, job.entity.client, fence.context, fence.seqno, submission.start_ns, end_ns)
            )
        submission.fence.signal(timestamp_ns=end_ns)
