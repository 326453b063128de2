"""A producer that looked at the head of its queue after it had pushed.

The product's producers only send a message; the model has the kernel's queue, whose jobs are freed when they are done.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Gate, current
from fencepost.zoo.bug import Bug
from fencepost.zoo.refcount import Counted

__all__ = ["BUG"]

JOBS: Final = 2


class Queue:
    """Jobs of one client, and the worker's wake-ups. `_lock` protects the links."""

    def __init__(self) -> None:
        self._lock = current().lock()
        self._jobs: list[Counted] = []
        self.wake_ups = current().mailbox("wake-ups")

    def peek(self) -> Counted | None:
        """Return the oldest job, which stays in."""
        with self._lock:
            return self._jobs[0] if self._jobs else None

    def pop(self) -> Counted | None:
        """Take the oldest job."""
        with self._lock:
            return self._jobs.pop(0) if self._jobs else None

    def push(self, job: Counted) -> None:
        """Append, and have the worker look."""
        with self._lock:
            self._jobs.append(job)
        if self.worth_waking():
            self.wake_ups.put("look")

    def worth_waking(self) -> bool:
        """Say whether the worker shall look, which finds out by itself whether there is something to do."""
        return True


class QueueAsItWas(Queue):
    """Spares the worker a look when the hardware has no room for the head."""

    def worth_waking(self) -> bool:
        head = self.peek()
        if head is not None:
            head.touch()
        return head is not None


def model(queue: Queue, runtime: Runtime) -> None:
    """Push two jobs to a worker that runs and frees whatever it finds."""
    done = Gate("both jobs done")

    def work() -> None:
        jobs = 0
        while jobs < JOBS:
            while (job := queue.pop()) is not None:
                job.touch()
                job.put()
                jobs += 1
            if jobs < JOBS:
                queue.wake_ups.get()
        done.open()

    runtime.spawn(work, "worker")
    for job in range(JOBS):
        queue.push(Counted(f"job {job}"))
    done.wait()


BUG = Bug(
    name="job-peeked-after-push",
    title="drm/sched: Fix dynamic job-flow control race",
    fix="440d52b370b0, September 2024; reported in July 2024, AsahiLinux/linux#309",
    symptom="use after free of a job, in the test whether the hardware has room for it",
    interleaving="a client pushes a job and looks at the head of its queue, to see how many credits it takes; the"
    " worker, awake for another reason, pops that job and runs it, it completes and is freed; the client reads its"
    " credits",
    repair="only wake the worker, and let that look",
    broken=lambda runtime: model(QueueAsItWas(), runtime),
    fixed=lambda runtime: model(Queue(), runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
