"""A timer that was armed for the next job, which was complete: the work at the ends of jobs ran out of order."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class Ring:
    """Two jobs on the hardware, by number, and what remains to do at their ends.

    `_lock` protects the jobs, which of them are complete, and the timer.
    """

    def __init__(self) -> None:
        self._lock = current().lock()
        self._pending = [0, 1]
        self._complete: set[int] = set()

    def execute(self, job: int) -> None:
        """Complete a job, and do the rest when there is time. The hardware, then a work item."""
        with self._lock:
            self._complete.add(job)
        self.finish(job)

    def finish(self, job: int) -> None:
        """Take a job off the list, and time the one that is the oldest now."""
        with self._lock:
            self._pending.remove(job)
            self.arm_locked(self.next_locked())

    def next_locked(self) -> int | None:
        """Return the oldest job that is not complete."""
        return next((job for job in self._pending if job not in self._complete), None)

    def arm_locked(self, job: int | None) -> None:
        assert job not in self._complete, "the timer runs for a job that is complete: its time-out will be a false one"


class RingAsItWas(Ring):
    """Takes the jobs to end in the order of the list."""

    def next_locked(self) -> int | None:
        return self._pending[0] if self._pending else None


def model(ring: Ring, runtime: Runtime) -> None:
    """Let two jobs end."""
    for job in range(2):
        runtime.spawn(lambda job=job: ring.execute(job), f"end of job {job}")  # type: ignore[misc]


BUG = Bug(
    name="timer-for-completed-job",
    title="drm/scheduler: fix timeout worker setup for out of order job completions",
    fix="2018 (L. Stach), 4823e5da2ea9",
    symptom="a reset for a job that has long been complete",
    interleaving="both jobs complete; the work for the end of the first runs before that of the second, and arms the"
    " timer for the second",
    repair="arm it for the oldest job that is not complete",
    broken=lambda runtime: model(RingAsItWas(), runtime),
    fixed=lambda runtime: model(Ring(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
