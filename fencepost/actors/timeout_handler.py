"""The actor that recovers what hangs: one for each reset domain."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from fencepost.actors.actor import Actor
from fencepost.actors.dispatch import Dispatch
from fencepost.actors.job import Job
from fencepost.actors.messages import Recover, StartSubmission, Stopped, StopSubmission, TimedOut, Unplug
from fencepost.actors.procedure import Procedure, Resume, Steps, Until
from fencepost.actors.recovery import Recoverable, Recovery, RecoveryRecord, Status
from fencepost.errors import WrongState
from fencepost.events import EventRing
from fencepost.events.kinds import RECOVERED
from fencepost.sync import WaitQueue, current

if TYPE_CHECKING:
    from fencepost.actors.reset_domain import ResetDomain
    from fencepost.actors.scheduler import Scheduler

__all__ = ["TimeoutHandler"]


class TimeoutHandler(Actor):
    """Takes up one report at a time, in the order they came.

    It stops the scheduler of the job: that hands it the jobs on the hardware, and from then on they are the handler's
    alone. Then the driver decides. It starts what it stopped, whatever came of it. Completion goes on meanwhile and
    races with all of this, as on a real machine. (kernel: drm_sched_job_timedout, on an ordered timeout_wq)

    Attributes:
        domain: the schedulers that are recovered together.
        pending: the jobs on the hardware of each scheduler that it stopped.
    """

    signals: ClassVar = True

    def __init__(self, dispatch: Dispatch, domain: ResetDomain, events: EventRing | None) -> None:
        super().__init__(dispatch, domain.name)
        self.domain = domain
        self.pending: dict[Scheduler, tuple[Job, ...]] = {}
        self._record = None if events is None else events.record
        self._reports: deque[TimedOut | Recover | Unplug] = deque()
        self._procedure: Procedure[None] | None = None
        # The stops that are not answered, and who waits for that.
        self._stopping: dict[Scheduler, StopSubmission] = {}
        self._stopped = WaitQueue(f"the stop of {domain.name}")
        self._gone = False

    # Messages.

    def on_report(self, message: TimedOut | Recover | Unplug) -> None:
        """Take up a report, after those before it."""
        self._reports.append(message)
        self._take_up()

    def on_stopped(self, message: Stopped) -> None:
        """Own the jobs of a scheduler that has stopped, unless it was started meanwhile."""
        scheduler = message.scheduler.scheduler
        if self._stopping.get(scheduler) is message.stop:
            del self._stopping[scheduler]
            self.pending[scheduler] = message.pending
            self._stopped.wake_all()

    def on_resume(self, message: Resume) -> None:
        """Go on with the recovery."""
        message.procedure.resume(message.turn)
        self._take_up()

    messages: ClassVar = {
        TimedOut: on_report,
        Recover: on_report,
        Unplug: on_report,
        Stopped: on_stopped,
        Resume: on_resume,
    }

    # The work.

    def _take_up(self) -> None:
        while self._reports and self._procedure is None:
            report = self._reports.popleft()
            if self._gone:
                self.on_dead_letter(report)
            elif isinstance(report, Unplug):
                self._conclude(None, None, Status.ENODEV, current().now_ns())
            else:
                steps = self._carry_out(report) if isinstance(report, Recover) else self._recover(report)
                self._procedure = procedure = Procedure(self, steps, self._end)
                procedure.start()

    def _end(self, _result: None) -> None:
        self._procedure = None

    def _conclude(self, scheduler: Scheduler | None, job: Job | None, status: Status, begin_ns: int) -> None:
        """Go on, and tell of it before: whoever sees what a recovery did to a job finds the record."""
        name = self.domain.name if scheduler is None else scheduler.name
        number = None if job is None else (job.finished.context, job.finished.seqno)
        self._note(RecoveryRecord(name, number, status, begin_ns, current().now_ns()))
        self._start_submission(status)

    def _note(self, record: RecoveryRecord) -> None:
        self.domain.note(record)
        if self._record is not None:
            context, seqno = record.job or (0, 0)
            fields = (record.scheduler, context, seqno, record.status.value, record.begin_ns)
            self._record((record.end_ns, RECOVERED, *fields))
        # A search goes through thousands.
        if record.status is not Status.NO_HANG and current().name != "controlled":
            self.log.warning("recovered", scheduler=record.scheduler, job=record.job, status=record.status.value)

    def _recover(self, report: TimedOut) -> Steps[None]:
        scheduler, job = report.scheduler.scheduler, report.job
        begin_ns = current().now_ns()
        status = Status.ENODEV
        try:
            yield from self.stop_submission([scheduler])
            status = (yield from self._ask_driver(scheduler, job)) if self._hangs(scheduler, job) else Status.NO_HANG
        finally:
            self._conclude(scheduler, job, status, begin_ns)

    def _hangs(self, scheduler: Scheduler, job: Job) -> bool:
        """Say whether the job is still what its scheduler waits for: it may have ended since the report."""
        pending = self.pending[scheduler]
        if not pending or pending[0] is not job:
            return False
        parent = job.finished.parent
        return parent is None or not parent.signaled

    def _ask_driver(self, scheduler: Scheduler, job: Job) -> Steps[Status]:
        backend = scheduler.backend
        assert isinstance(backend, Recoverable)
        answer = backend.timedout_job(job, Recovery(self, scheduler))
        return answer if isinstance(answer, Status) else (yield from answer)

    def _carry_out(self, report: Recover) -> Steps[None]:
        begin_ns = current().now_ns()
        status = Status.ENODEV
        try:
            status = yield from report.steps(Recovery(self))
        finally:
            self._conclude(None, None, status, begin_ns)

    def stop_submission(self, schedulers: Iterable[Scheduler]) -> Steps[None]:
        """Stop schedulers, and wait until they have. Raises WrongState for one of another domain."""
        for scheduler in schedulers:
            if scheduler.domain is not self.domain:
                raise WrongState(f"{scheduler!r} cannot be stopped for {self.domain!r}: it is not in it")
            if scheduler not in self.pending and scheduler not in self._stopping:
                self._stopping[scheduler] = stop = StopSubmission(self)
                scheduler.actor.post(stop)
        yield Until(lambda: not self._stopping, self._stopped)

    def _start_submission(self, status: Status) -> None:
        """Start what was stopped; or tell all that the device is gone."""
        # Those that have not answered yet will find it behind their stop.
        told = [*self.pending, *self._stopping]
        self.pending.clear()
        self._stopping.clear()
        if status is Status.ENODEV:
            self._gone = True
            told = list(self.domain.schedulers)
        message = StartSubmission(status)
        for scheduler in told:
            scheduler.actor.post(message)

    # Too late.

    def on_dead_letter(self, message: object) -> None:
        """Tell who reports a hang that nobody will recover it."""
        if isinstance(message, TimedOut):
            message.scheduler.post(StartSubmission(Status.ENODEV))

    def on_failure(self, *_: object, **__: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Give the device up: without its handler nothing that hangs comes back."""
        try:
            if self._procedure is not None:
                self._procedure.close()
        finally:
            self._start_submission(Status.ENODEV)

    on_stop = on_failure
