"""A queue that linked a job before it counted it."""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Gate, Lock, current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

JOBS: Final = 2


class Queue:
    """Jobs of one producer and one consumer, with a count that both may read. The lock protects the links."""

    def __init__(self) -> None:
        self._lock: Lock = current().lock()
        self._links: list[int] = []
        self.count = 0

    def push(self, job: int) -> bool:
        """Append; True says that the queue was empty, so the consumer must be woken."""
        self.add_to_count(1)
        return self.link(job)

    def pop(self) -> int | None:
        """Take the oldest; None when it is counted and not linked yet."""
        with self._lock:
            job = self._links.pop(0) if self._links else None
        if job is not None:
            self.add_to_count(-1)
        return job

    def link(self, job: int) -> bool:
        with self._lock:
            self._links.append(job)
            return len(self._links) == 1

    def add_to_count(self, change: int) -> None:
        with self._lock:
            self.count += change


class QueueAsItWas(Queue):
    """Links first."""

    def push(self, job: int) -> bool:
        first = self.link(job)
        self.add_to_count(1)
        return first


def model(queue: Queue, runtime: Runtime) -> None:
    """Push two jobs, and wake the consumer when a push says so."""
    wake = current().mailbox("wake-ups")
    done = Gate("both jobs done")

    def consume() -> None:
        jobs = 0
        while jobs < JOBS:
            wake.get()
            while queue.count > 0 and queue.pop() is not None:
                jobs += 1
        done.open()

    runtime.spawn(consume, "consumer")
    for job in range(JOBS):
        if queue.push(job):
            wake.put("go")
    done.wait()


BUG = Bug(
    name="spsc-count-after-link",
    title="drm/sched: Increment job count before swapping tail spsc queue",
    fix="8af39ec5cf2b, 2025, CVE-2025-38515",
    symptom="scheduling stops, fences never signal",
    interleaving="the producer links the second job and has not counted it; the consumer takes the first, reads a"
    " count of zero and goes to sleep; the push found the queue not empty, so it wakes nobody",
    repair="count before linking",
    broken=lambda runtime: model(QueueAsItWas(), runtime),
    fixed=lambda runtime: model(Queue(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
