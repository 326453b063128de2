"""Events as a trace for the Perfetto viewer (ui.perfetto.dev).

    engines        a track for each: what it executed, named and so coloured by client
    a client       its cycles, the periods it missed, and a track for each of its entities: jobs from push to done, and
                   what each was at
    schedulers     for each: queued jobs and credits in use, and what timed out and was recovered

An arrow goes from the push of a job to each of its batches and to its end.
"""

from __future__ import annotations

import errno
import operator
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from fencepost.events.counters import ring_levels
from fencepost.events.history import Batch, JobHistory, by_time, job_histories, phases
from fencepost.events.kinds import (
    CYCLE,
    ENTITY_KILLED,
    JOB_REQUEUED,
    JOB_TIMEDOUT,
    PERIOD_MISSED,
    PRIORITY_SET,
    RECOVERED,
    Event,
)
from fencepost.events.lanes import lanes
from fencepost.events.trace_writer import NO_FLOW, TraceWriter
from fencepost.events.whole_file import whole_file

__all__ = ["pftrace", "write_pftrace"]

NOBODY = "no client"
"""Stands where an entity works for no client."""

Mark: TypeAlias = tuple[int, str]
"""A time, and what happened then."""


def write_pftrace(events: Iterable[Event], path: str | os.PathLike[str]) -> None:
    """Write what `pftrace` returns to a file.

    Raises:
        BadInput: when the file cannot be written.
    """
    with whole_file(path, "--trace") as file:
        file.write(pftrace(events))


def pftrace(events: Iterable[Event]) -> bytes:
    """Return events as the content of a `.pftrace`; the same events give the same bytes.

    A job that is not done when the events end is drawn up to the last of them. Of a job whose first events were
    dropped, what is known is drawn. Times are not negative, as in all worlds.
    """
    return _Drawing(by_time(events)).draw()


@dataclass(slots=True)
class _Client:
    """What is drawn below the name of a client. Entities are told apart by fence context: two may have one name."""

    cycles: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])
    missed_periods: list[Mark] = field(default_factory=list[Mark])
    entities: dict[tuple[str, int], list[JobHistory]] = field(default_factory=dict[tuple[str, int], list[JobHistory]])


class _Drawing:
    """Draws one trace.

    Clients come before engines in the file: where the push of a job and its batch are of one nanosecond, the arrow goes
    from the first in the file to the second.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._jobs = job_histories(events)
        self._end_ns = events[-1][0] if events else 0
        self._trace = TraceWriter()
        self._flows = {fence: number for number, fence in enumerate(self._jobs, NO_FLOW + 1)}

    def draw(self) -> bytes:
        root = self._trace.track("fencepost")  # since tracks without a parent are shown in the order of their names
        engines = self._trace.track("engines", root)
        controls = self._controls()
        for name, client in self._clients().items():
            self._draw_client(name, client, root, controls)
        schedulers = self._trace.track("schedulers", root)
        self._draw_schedulers(schedulers)
        for ring, marks in self._recoveries().items():
            self._draw_marks(marks, f"{ring} recoveries", schedulers)
        self._draw_engines(engines)
        return self._trace.serialize()

    # Clients.

    def _clients(self) -> dict[str, _Client]:
        clients: dict[str, _Client] = {}
        for job in self._jobs.values():
            if job.start_ns is not None:
                client = clients.setdefault(job.client, _Client())
                client.entities.setdefault((job.entity, job.fence[0]), []).append(job)
        for time_ns, kind, *fields in self._events:
            if kind == CYCLE:
                name, start_ns, end_ns = fields
                clients.setdefault(name, _Client()).cycles.append((start_ns, end_ns, "cycle"))
            elif kind == PERIOD_MISSED:
                name, late_ns = fields
                clients.setdefault(name, _Client()).missed_periods.append((time_ns, f"{late_ns / 1000:.0f} us late"))
        return clients

    def _controls(self) -> dict[str, list[Mark]]:
        """Return what was done to entities, by their names."""
        controls: dict[str, list[Mark]] = {}
        for time_ns, kind, *fields in self._events:
            if kind == ENTITY_KILLED:
                entity, jobs = fields
                controls.setdefault(entity, []).append((time_ns, f"killed with {jobs} jobs"))
            elif kind == PRIORITY_SET:
                entity, priority = fields
                controls.setdefault(entity, []).append((time_ns, f"priority {priority}"))
        return controls

    def _draw_client(self, name: str, client: _Client, root: int, controls: dict[str, list[Mark]]) -> None:
        group = self._trace.track(name or NOBODY, root)
        self._draw_slices(client.cycles, "cycles", group)
        self._draw_marks(client.missed_periods, "missed periods", group)
        for (entity, _), jobs in client.entities.items():
            self._draw_entity(jobs, entity, group)
            self._draw_marks(controls.pop(entity, ()), entity, group)

    def _draw_marks(self, marks: Sequence[Mark], name: str, parent: int) -> None:
        if marks:
            track = self._trace.track(name, parent)
            for time_ns, what in marks:
                self._trace.instant(track, time_ns, what)

    def _draw_slices(self, slices: Iterable[tuple[int, int, str]], name: str, parent: int) -> None:
        for lane in lanes(slices):
            track = self._trace.track(name, parent)
            for start_ns, end_ns, what in lane:
                self._trace.begin(track, start_ns, what)
                self._trace.end(track, end_ns)

    # Entities and their jobs.

    def _draw_entity(self, jobs: Iterable[JobHistory], name: str, parent: int) -> None:
        spans = [(job.start_ns, self._last_ns(job), job) for job in jobs if job.start_ns is not None]
        for lane in lanes(spans):
            track = self._trace.track(name, parent)
            for start_ns, end_ns, job in lane:
                self._draw_job(track, start_ns, end_ns, job)

    def _last_ns(self, job: JobHistory) -> int:
        """Return when a job ends, or where its drawing does."""
        return self._end_ns if job.done_ns is None else job.done_ns

    def _draw_job(self, track: int, start_ns: int, end_ns: int, job: JobHistory) -> None:
        trace, fence, flow = self._trace, _name(job), self._flow(job)
        trace.begin(track, start_ns, f"job {fence}", flow=flow, fence=fence, ring=job.ring)
        for phase in phases(job, self._jobs, end_ns):
            trace.begin(track, phase.start_ns, phase.name)
            trace.end(track, phase.end_ns)
        if job.done_ns is not None:
            trace.instant(track, end_ns, _outcome(job), flow=flow, flow_ends=True)
        trace.end(track, end_ns)

    def _flow(self, job: JobHistory) -> int:
        """Return the number of the arrow through a job, if it has two ends."""
        begins = job.start_ns is not None
        ends = job.done_ns is not None or job.batches
        return self._flows[job.fence] if begins and ends else NO_FLOW

    # Schedulers and engines.

    def _draw_schedulers(self, group: int) -> None:
        counters: dict[str, tuple[int, int]] = {}
        for level in ring_levels(self._events):
            if level.ring not in counters:
                ring = self._trace.track(level.ring, group)
                counters[level.ring] = (
                    self._trace.counter("queued jobs", ring),
                    self._trace.counter("credits in use", ring),
                )
            queued_jobs, credits_in_use = counters[level.ring]
            self._trace.count(queued_jobs, level.time_ns, level.queued_jobs)
            self._trace.count(credits_in_use, level.time_ns, level.credits_in_use)

    def _recoveries(self) -> dict[str, list[Mark]]:
        """Return what was done about hangs, by the name of the ring or of the reset domain."""
        recoveries: dict[str, list[Mark]] = {}
        for time_ns, kind, *fields in self._events:
            if kind not in {JOB_TIMEDOUT, JOB_REQUEUED, RECOVERED}:
                continue
            ring, context, seqno, *more = fields
            fence = f"{context}:{seqno}"
            what = {JOB_TIMEDOUT: f"{fence} timed out", JOB_REQUEUED: f"{fence} runs again"}
            recoveries.setdefault(ring, []).append((time_ns, what.get(kind) or f"recovered: {more[0]}"))
        return recoveries

    def _draw_engines(self, group: int) -> None:
        engines: dict[str, list[tuple[int, int, tuple[JobHistory, int]]]] = {}
        for job in self._jobs.values():
            for number, batch in enumerate(job.batches):
                engines.setdefault(batch.engine, []).append((batch.start_ns, batch.end_ns, (job, number)))
        for engine in sorted(engines):
            placed = [
                (start_ns, number, track, job)
                for lane in lanes(engines[engine])
                for track in [self._trace.track(engine, group)]
                for start_ns, _, (job, number) in lane
            ]
            # Not lane by lane: the last batch of a job, where its arrow ends, must come last.
            for _, number, track, job in sorted(placed, key=operator.itemgetter(0, 1)):
                self._draw_batch(track, job, job.batches[number])

    def _draw_batch(self, track: int, job: JobHistory, batch: Batch) -> None:
        flow, ends = self._flow(job), False
        if job.done_ns is None:
            ends = batch is job.batches[-1]
        elif batch.start_ns >= job.done_ns:
            flow = NO_FLOW
        self._trace.begin(
            track,
            batch.start_ns,
            job.client or NOBODY,
            flow=flow,
            flow_ends=ends,
            fence=_name(job),
            entity=job.entity,
        )
        self._trace.end(track, batch.end_ns)


def _name(job: JobHistory) -> str:
    context, seqno = job.fence
    return f"{context}:{seqno}"


def _outcome(job: JobHistory) -> str:
    """Say how a job ended, with the name of its error."""
    return "done" if job.error == 0 else f"-{errno.errorcode.get(-job.error, str(-job.error))}"
