"""How a GPU is recovered from a hang or a fault: halt, look, judge, take off what is lost, go on."""

from __future__ import annotations

import errno
from collections.abc import Mapping

from fencepost.actors import Job, Recovery, Scheduler, Status
from fencepost.actors.recovery import StatusSteps
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.halt import Halt
from fencepost.hw.ring import Ring
from fencepost.policies.recovery import Evidence, RecoveryPolicy, Reset, Verdict, wedge

__all__ = ["GpuRecovery"]


class GpuRecovery:
    """The driver's part in the recovery of a GPU, whose rings are fed by the schedulers of one reset domain.

    Its steps are carried out by the handler of that domain, one recovery at a time.

    Attributes:
        name: what the domain is called.
        broken: whether resets fail.
    """

    name = "gpu"

    def __init__(self, engines: Mapping[str, ClockedEngine], policy: RecoveryPolicy) -> None:
        self._engines = engines
        self._policy = policy
        self.broken = False
        for engine in engines.values():
            engine.report_faults(self.report_fault)

    def report_fault(self, job: Job) -> None:
        """Have the fault of a job dealt with. Never blocks; any context."""
        if job.scheduler.domain is not None:
            job.scheduler.domain.recover(lambda recovery: self._recover_fault(recovery, job))

    def report_reset(self, job: Job) -> None:
        """Have the engine of a job reset, if that still runs. Never blocks; any context."""
        if job.scheduler.domain is not None:
            job.scheduler.domain.recover(lambda recovery: self.recover(recovery, job, -errno.EIO))

    def _recover_fault(self, recovery: Recovery, job: Job) -> StatusSteps:
        execution = self._engine_of(job.scheduler).execution(job)
        if execution is None or execution.fault is None:
            # An earlier recovery has dealt with it.
            return Status.NO_HANG
        return (yield from self.recover(recovery, job))

    def recover(self, recovery: Recovery, job: Job, error: int | None = None) -> StatusSteps:
        """Recover from what a job does to the GPU, or another to that job. For the arguments see `Halt.evidence`.

        At first only the scheduler of the job is stopped, and its engine halted. When others turn out to be concerned,
        all goes on, and is looked at again with these stopped too.
        """
        stopped = {job.scheduler: None}
        while True:
            yield from recovery.stop(stopped)
            halt = Halt(recovery, stopped, self._engine_of)
            evidence = halt.evidence(job, error)
            if evidence is None:
                halt.resume()
                return Status.NO_HANG
            jobs = halt.describe()
            verdict = self._policy.judge(evidence, jobs)
            if self.broken:
                verdict = wedge(verdict, jobs)
            concerned = self._concerned(recovery, halt, evidence, verdict)
            if concerned.keys() <= stopped.keys():
                break
            halt.resume()
            stopped |= concerned
        recovery.capture()
        recovery.pronounce(verdict, halt.jobs)
        if verdict.reset is Reset.WEDGE:
            recovery.wedge()
        halt.carry_out(verdict)
        if verdict.reset is Reset.WEDGE:
            return Status.WEDGED
        halt.resume()
        return Status.RESET

    def _concerned(self, recovery: Recovery, halt: Halt, evidence: Evidence, verdict: Verdict) -> dict[Scheduler, None]:
        """Return the schedulers without which this cannot be judged or carried out."""
        known = {job.queue.context for job in halt.jobs}
        if (
            self._policy.concerns_all(evidence)
            or verdict.reset is not Reset.QUEUES
            # Who holds the engine came by another ring.
            or not evidence.contexts <= known
        ):
            return dict.fromkeys(scheduler for scheduler in recovery.schedulers if self._feeds(scheduler))
        return {}

    def _feeds(self, scheduler: Scheduler) -> bool:
        return isinstance(scheduler.backend, Ring) and scheduler.backend.feeds(self._engines)

    def _engine_of(self, scheduler: Scheduler) -> ClockedEngine:
        assert isinstance(scheduler.backend, Ring)
        return self._engines[scheduler.backend.engine]
