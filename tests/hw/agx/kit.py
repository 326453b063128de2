"""What the tests of the AGX-like GPU share."""

from __future__ import annotations

from collections.abc import Iterable

from fencepost.actors import Job, Runtime, Scheduler
from fencepost.events.kinds import BATCH
from fencepost.hw.agx import Agx
from fencepost.hw.agx.user_queue import UserQueue
from fencepost.hw.agx.work_queue import WorkQueue

__all__ = ["assert_consistent", "assert_idle", "ends", "executed", "starts", "work_queues"]


def work_queues(schedulers: Iterable[Scheduler]) -> list[WorkQueue]:
    """Return the work queues of some schedulers."""
    backends = [scheduler.backend for scheduler in schedulers]
    return [queue for each in backends if isinstance(each, UserQueue) for queue in each.queues.values()]


def ends(jobs: Iterable[Job]) -> list[tuple[int, float]]:
    """Wait for jobs, and return with what error and at which microsecond each ended."""
    jobs = list(jobs)
    assert all(job.finished.wait(10) for job in jobs)
    return [(job.finished.error, job.finished.timestamp_ns / 1000) for job in jobs]


def executed(rt: Runtime) -> list[tuple[str, str, float, float]]:
    """Return what was executed: kind, client, start and end in microseconds, in order of the ends."""
    assert rt.events is not None
    return [(event[2].split(".")[1], event[3], event[6] / 1000, event[7] / 1000) for event in rt.events.of(BATCH)]


def starts(rt: Runtime, job: Job) -> int:
    """Return how often something of a job began to be executed."""
    assert rt.events is not None
    mine = (job.finished.context, job.finished.seqno)
    return sum((event[4], event[5]) == mine for event in rt.events.of(BATCH))


def assert_consistent(agx: Agx, schedulers: Iterable[Scheduler]) -> None:
    """Check what holds at any moment.

    I13: a ring holds at most one less than its size. I14: no event slot is lost or given twice, and an idle queue has
    none.
    """
    queues = work_queues(schedulers)
    with agx.driver._lock:  # noqa: SLF001 - nobody may change it meanwhile  # pyright: ignore[reportPrivateUsage]
        slots = agx.driver.slots
        held = [queue.slot for queue in queues if queue.slot is not None]
        assert len(set(held)) == len(held)
        assert len(held) + slots.free == len(slots)
        for queue in queues:
            assert queue.slot is None or queue.slot.owner is queue
            assert (queue.slot is None) == (not queue.in_flight)
            used = (queue.cpu_wptr.value - queue.cpu_freeptr) % queue.size
            assert used == len(queue.in_flight) <= queue.size - 1
            assert sum(entry is not None for entry in queue.ring) == used


def assert_idle(agx: Agx, schedulers: Iterable[Scheduler]) -> None:
    """Check that nothing is left: all slots free, all rings empty, nothing halted and nothing pending."""
    assert agx.driver.slots.free == len(agx.driver.slots)
    assert all(not queue.in_flight for queue in work_queues(schedulers))
    assert not agx.driver.shared.halted.value
    assert not agx.driver.shared.pending
