"""What must hold in every run, in every world, read from its events.

The numbers are of the mechanisms that exist: jobs, fences, credits, rings and engines. All can be checked on a whole
run only: events that were dropped would look like steps that never happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from fencepost.actors import Runtime
from fencepost.events import Event, kinds

__all__ = ["check_events", "check_quiescent"]

FenceId: TypeAlias = tuple[int, int]
"""Context and seqno of a job's finished fence."""


@dataclass(slots=True)
class Watch:
    """What has been seen of the jobs so far, and what was wrong with it."""

    violations: list[str] = field(default_factory=list[str])
    queued: dict[FenceId, str] = field(default_factory=dict[FenceId, str])
    run: set[FenceId] = field(default_factory=set[FenceId])
    done: dict[FenceId, int] = field(default_factory=dict[FenceId, int])
    dependencies: dict[FenceId, list[FenceId]] = field(default_factory=dict[FenceId, list[FenceId]])
    last_queued: dict[int, int] = field(default_factory=dict[int, int])
    last_run: dict[int, int] = field(default_factory=dict[int, int])
    executed: dict[str, int] = field(default_factory=dict[str, int])
    idle_to: dict[int, int] = field(default_factory=dict[int, int])

    def expect(self, holds: bool, job: FenceId, what: str) -> None:  # noqa: FBT001 - an assertion
        if not holds:
            self.violations.append(f"job {job[0]}:{job[1]} {what}")

    def on_queue(self, ring: str, job: FenceId) -> None:
        context, seqno = job
        self.expect(seqno == self.last_queued.get(context, 0) + 1, job, "was pushed out of order")
        self.last_queued[context] = seqno
        self.queued[job] = ring

    def on_run(self, ring: str, job: FenceId) -> None:
        context, seqno = job
        self.expect(job in self.queued, job, "ran before it was pushed")
        self.expect(self.queued.get(job) == ring, job, f"ran on {ring} and was pushed to {self.queued.get(job)}")
        self.expect(job not in self.run, job, "ran twice")
        self.expect(job not in self.done, job, "ran after it was done")
        self.expect(seqno > self.last_run.get(context, 0), job, "ran before one that its entity pushed earlier")
        for other in self.dependencies.get(job, ()):
            # One that no event tells of is a fence from outside.
            if other in self.queued:
                enough = self.run if self.queued[other] == ring else self.done
                self.expect(
                    other in enough or other in self.done, job, f"ran before {other[0]}:{other[1]}, which it needs"
                )
        self.run.add(job)
        self.last_run[context] = seqno

    def on_done(self, job: FenceId, error: int) -> None:
        self.expect(job in self.queued, job, "was done before it was pushed")
        self.expect(job not in self.done, job, "was done twice")
        self.expect(job in self.run or error < 0, job, "was done without an error and never ran")
        self.done[job] = error

    def on_timedout(self, job: FenceId) -> None:
        self.expect(job in self.run, job, "timed out and never ran")

    def on_requeued(self, job: FenceId, *, idempotent: bool) -> None:
        self.expect(job in self.run, job, "was to run again and never ran")
        self.expect(job not in self.done, job, "was to run again after it was done")
        self.expect(idempotent, job, "was to run again and is not idempotent")

    def on_idle(self, context: int, seqno: int, error: int) -> None:
        if error:
            return
        for number in range(self.idle_to.get(context, 0) + 1, seqno + 1):
            job = (context, number)
            self.expect(self.done.get(job) == 0, job, "was lost, and its client was told that all is well")
        self.idle_to[context] = max(seqno, self.idle_to.get(context, 0))

    def on_batch(self, engine: str, job: FenceId, start_ns: int, end_ns: int) -> None:
        self.expect(start_ns <= end_ns, job, f"was executed on {engine} backwards in time")
        self.expect(
            start_ns >= self.executed.get(engine, start_ns), job, f"was executed on {engine} beside another one"
        )
        self.expect(job in self.run, job, f"was executed on {engine} and never handed over")
        self.executed[engine] = end_ns

    def at_end(self) -> None:
        for job in self.queued.keys() - self.done.keys():
            self.expect(False, job, "was never done")  # noqa: FBT003 - an assertion


def check_events(events: Iterable[Event]) -> list[str]:
    """Return what was wrong in a run that has come to its end; nothing is the rule.

    - A job is pushed, then handed over at most once, then done exactly once; done without having run only with an
      error.
    - Jobs of one entity are pushed and handed over in the order of their numbers.
    - A job is handed over after all it depends on is done, or handed over, if that was to the same ring.
    - An engine executes one batch at a time, and only what was handed over.
    - A recovery has a job executed again only if it is not done, and idempotent.
    - A client is told that an entity is idle and all is well only if each job up to then is done without an error.
    """
    watch = Watch()
    for event in events:
        _watch(watch, event)
    watch.at_end()
    return watch.violations


def _watch(watch: Watch, event: Event) -> None:
    _time_ns, kind, *fields = event
    match kind:
        case kinds.JOB_QUEUE:
            watch.on_queue(fields[0], (fields[3], fields[4]))
        case kinds.JOB_ADD_DEP:
            watch.dependencies.setdefault((fields[0], fields[1]), []).append((fields[2], fields[3]))
        case kinds.JOB_RUN:
            watch.on_run(fields[0], (fields[3], fields[4]))
        case kinds.JOB_DONE:
            watch.on_done((fields[1], fields[2]), fields[3])
        case kinds.JOB_TIMEDOUT:
            watch.on_timedout((fields[1], fields[2]))
        case kinds.JOB_REQUEUED:
            watch.on_requeued((fields[1], fields[2]), idempotent=fields[3])
        case kinds.QUEUE_IDLE:
            watch.on_idle(fields[1], fields[2], fields[3])
        case kinds.BATCH:
            watch.on_batch(fields[0], (fields[2], fields[3]), fields[4], fields[5])
        case _:
            pass  # what else happens is not bound by these


def check_quiescent(runtime: Runtime) -> list[str]:
    """Return what a runtime that was left has not brought to its end; nothing is the rule.

    No fence that is armed and has not signalled, all credits back, no job counted in a scheduler's load, nothing alive.
    """
    statistics = runtime.statistics()
    ended = statistics.jobs_completed + statistics.jobs_errored + statistics.jobs_cancelled
    facts = [
        (statistics.fences_signaled == statistics.fences_armed, "fences were armed and never signalled"),
        (ended == statistics.jobs_submitted, f"{statistics.jobs_submitted} jobs were armed and {ended} ended"),
        (not runtime.leftovers, f"left behind: {runtime.leftovers}"),
    ]
    facts += [
        (scheduler.actor.credits_in_use == 0, f"{scheduler.name} has {scheduler.actor.credits_in_use} credits in use")
        for scheduler in runtime.schedulers
    ]
    return [what for holds, what in facts if not holds]
