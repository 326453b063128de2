"""Engines of a GPU, halted: what they had on them, and what becomes of it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection
from typing import Final

from fencepost.actors import Job, Recovery, Scheduler
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.execution import Execution
from fencepost.policies.recovery import Action, Evidence, PendingJob, Verdict
from fencepost.sync import NS_PER_S

__all__ = ["Halt"]

TOLERATED_WAITS: Final = 2
"""How often the time of a job may be up while others have the engine."""

SLACK: Final = 0.95
"""A job hangs that was executed for so much of its time. (xe: check_timeout)"""


class Halt:
    """Halts engines, while the schedulers that feed them are stopped. By the handler of their reset domain.

    Life cycle: *halted* -> *resumed* (by `resume`, or never). Between the two nothing ends but what is killed.

    Attributes:
        jobs: on the hardware of these schedulers, each one's oldest first.
    """

    def __init__(
        self, recovery: Recovery, schedulers: Collection[Scheduler], engine_of: Callable[[Scheduler], ClockedEngine]
    ) -> None:
        self._recovery = recovery
        self._engine_of = engine_of
        self._ran = {engine: engine.halt() for engine in dict.fromkeys(map(engine_of, schedulers))}
        pending = recovery.pending()
        self.jobs = tuple(job for scheduler in schedulers for job in pending.get(scheduler, ()))

    def evidence(self, job: Job, error: int | None) -> Evidence | None:
        """Say what the hardware tells about a job: a fault says most, whoever's it is. None when nothing is wrong.

        Args:
            job: one that has had its time, or an engine was to be reset while it ran.
            error: what it ends with in the second case.
        """
        faulting = [each for each in self.jobs if _faults(self._execution(each))]
        running = frozenset(each.queue.context for each in (*self._ran.values(), *faulting) if each is not None)
        if faulting:
            known = all(self._vm_known(each) for each in faulting)
            vms = frozenset(each.queue.vm for each in faulting if known)
            return Evidence(vms=vms, running=running, error=-errno.EIO)
        culprit = self._culprit(job) if error is None else job
        if culprit is None or self._execution(culprit) is None:
            return None
        contexts = frozenset({culprit.queue.context})
        return Evidence(contexts=contexts, running=running, error=error or -errno.ETIMEDOUT)

    def describe(self) -> list[PendingJob]:
        """Put the jobs before a policy."""
        return [self._describe(job, self._execution(job)) for job in self.jobs]

    def carry_out(self, verdict: Verdict) -> None:
        """Kill, and send back to the start. What is killed has signalled when this returns."""
        for job, fate in zip(self.jobs, verdict.fates, strict=True):
            engine = self._engine_of(job.scheduler)
            if fate.action is Action.KILL:
                engine.abort(job, fate.error)
            elif fate.action is Action.REQUEUE:
                engine.restart(job)

    def resume(self) -> None:
        """Let the engines go on."""
        for engine in self._ran:
            engine.resume()

    def _execution(self, job: Job) -> Execution | None:
        """Return how far a job is, unless it is complete."""
        execution = self._engine_of(job.scheduler).execution(job)
        return None if execution is None or execution.end_ns is not None else execution

    def _culprit(self, job: Job) -> Job | None:
        """Return who is to blame when the time of a job is up, or None."""
        execution = self._execution(job)
        if execution is None:
            return None
        limit_s = job.scheduler.timeout_s or 0.0
        if execution.started and had_its_time(execution, limit_s):
            return job
        # Others used its time up. That is no hang, unless one of them keeps the engine for itself.
        execution.waits += 1
        holder = self._ran[self._engine_of(job.scheduler)]
        if execution.waits <= TOLERATED_WAITS or holder is None:
            return None
        holding = self._execution(holder)
        limit_s = max(limit_s, holder.scheduler.timeout_s or 0.0)
        return holder if holding is not None and had_its_time(holding, limit_s) else None

    def _vm_known(self, job: Job) -> bool:
        execution = self._execution(job)
        return execution is not None and execution.fault is not None and execution.fault.vm_known

    def _describe(self, job: Job, execution: Execution | None) -> PendingJob:
        started = execution is None or execution.started
        return self._recovery.describe(job, started=started, complete=execution is None)


def had_its_time(execution: Execution, limit_s: float) -> bool:
    """Say whether a batch was executed for so long."""
    return execution.executed_ns >= SLACK * limit_s * NS_PER_S


def _faults(execution: Execution | None) -> bool:
    return execution is not None and execution.started and execution.fault is not None
