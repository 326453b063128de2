"""What became of each job: its events, brought together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

from fencepost.events.kinds import BATCH, JOB_DONE, JOB_QUEUE, JOB_RUN, JOB_UNSCHEDULABLE, Event

__all__ = ["Batch", "FenceId", "JobHistory", "Phase", "Wait", "by_time", "job_histories", "phases"]

FenceId: TypeAlias = tuple[int, int]
"""Context and seqno."""

QUEUED: Final = "queued"
WAITING: Final = "waiting"
ON_RING: Final = "on ring"
RUNNING: Final = "running"
PREEMPTED: Final = "preempted"
COMPLETING: Final = "completing"


class Batch(NamedTuple):
    """A stretch of a job on an engine."""

    engine: str
    start_ns: int
    end_ns: int


class Wait(NamedTuple):
    """The head job of an entity begins to wait for a fence."""

    start_ns: int
    fence: FenceId


class Phase(NamedTuple):
    """What a job was at for a while."""

    name: str
    start_ns: int
    end_ns: int


@dataclass(slots=True)
class JobHistory:
    """A job as its events tell it. What they do not tell, being dropped or still to come, is None or empty.

    Attributes:
        fence: context and seqno of its finished fence.
        error: 0 or a negative errno.
    """

    fence: FenceId
    ring: str = ""
    entity: str = ""
    client: str = ""
    queue_ns: int | None = None
    run_ns: int | None = None
    done_ns: int | None = None
    error: int = 0
    waits: list[Wait] = field(default_factory=list[Wait])
    batches: list[Batch] = field(default_factory=list[Batch])

    @property
    def start_ns(self) -> int | None:
        """When its entity had it first, as far as is known."""
        return self.run_ns if self.queue_ns is None else self.queue_ns


def by_time(events: Iterable[Event]) -> list[Event]:
    """Return events in the order of their times; those of one time stay as they are."""
    return sorted(events, key=itemgetter(0))


def job_histories(events: Iterable[Event]) -> dict[FenceId, JobHistory]:
    """Bring the events of each job together; jobs stand in the order of their first events."""
    jobs: dict[FenceId, JobHistory] = {}
    for time_ns, kind, *fields in events:
        if kind in (JOB_QUEUE, JOB_RUN):
            ring, entity, client, context, seqno, *_ = fields
            job = _job(jobs, (context, seqno))
            job.ring, job.entity, job.client = ring, entity, client
            if kind == JOB_QUEUE:
                job.queue_ns = time_ns
            else:
                job.run_ns = time_ns
        elif kind == JOB_UNSCHEDULABLE:
            context, seqno, on_context, on_seqno = fields
            _job(jobs, (context, seqno)).waits.append(Wait(time_ns, (on_context, on_seqno)))
        elif kind == BATCH:
            engine, client, context, seqno, start_ns, end_ns = fields
            job = _job(jobs, (context, seqno))
            job.client = client
            job.batches.append(Batch(engine, start_ns, end_ns))
        elif kind == JOB_DONE:
            ring, context, seqno, error = fields
            job = _job(jobs, (context, seqno))
            job.ring, job.done_ns, job.error = ring, time_ns, error
    return jobs


def _job(jobs: dict[FenceId, JobHistory], fence: FenceId) -> JobHistory:
    job = jobs.get(fence)
    if job is None:
        job = jobs[fence] = JobHistory(fence)
    return job


def phases(job: JobHistory, jobs: Mapping[FenceId, JobHistory], end_ns: int) -> Iterator[Phase]:
    """Yield what a job was at, from its first event to `end_ns`, without gaps; what took no time is left out.

    It is queued, and waiting while it is the first of its entity and a fence that it needs is not signalled; then it is
    on the ring behind other jobs, running on an engine (preempted in between), and completing: the hardware is done,
    and the scheduler has not said so yet.
    """
    marks = [*_marks(job, jobs), (end_ns, "")]
    cursor = marks[0][0]
    for (_, name), (next_ns, _) in pairwise(marks):
        stop_ns = min(max(next_ns, cursor), end_ns)
        if stop_ns > cursor:
            yield Phase(name, cursor, stop_ns)
        cursor = stop_ns


def _marks(job: JobHistory, jobs: Mapping[FenceId, JobHistory]) -> Iterator[tuple[int, str]]:
    """Yield when each phase begins."""
    if job.queue_ns is not None:
        yield job.queue_ns, QUEUED
    for wait in job.waits:
        yield wait.start_ns, WAITING
        signaled_ns = _signaled_ns(wait.fence, jobs)
        if signaled_ns is not None:
            yield signaled_ns, QUEUED
    if job.run_ns is not None:
        yield job.run_ns, ON_RING
    for batch in job.batches:
        yield batch.start_ns, RUNNING
        yield batch.end_ns, COMPLETING if batch is job.batches[-1] else PREEMPTED


def _signaled_ns(fence: FenceId, jobs: Mapping[FenceId, JobHistory]) -> int | None:
    """Return when a fence signalled that is a job's: the finished one or, one context below, the scheduled one."""
    if (job := jobs.get(fence)) is not None:
        return job.done_ns
    context, seqno = fence
    if (job := jobs.get((context + 1, seqno))) is not None:
        return job.run_ns
    return None
