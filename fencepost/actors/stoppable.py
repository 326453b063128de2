"""The half of a scheduler's actor that deals with hangs: it times the oldest job, and can be stopped."""

from __future__ import annotations

import abc
from collections import deque
from typing import TYPE_CHECKING, ClassVar

from fencepost.actors.actor import Actor
from fencepost.actors.dispatch import Dispatch
from fencepost.actors.hang_timer import HangTimer
from fencepost.actors.in_band import InBand
from fencepost.actors.job import Job
from fencepost.actors.messages import (
    Done,
    Expired,
    Fault,
    ResumeTimeout,
    SetTimeout,
    StartSubmission,
    Stopped,
    StopSubmission,
    SuspendTimeout,
    TimedOut,
)
from fencepost.actors.recovery import Status
from fencepost.events import EventRing
from fencepost.events.kinds import JOB_TIMEDOUT
from fencepost.sync import current

if TYPE_CHECKING:
    from fencepost.actors.scheduler import Scheduler

__all__ = ["Stoppable"]

EXPIRED = Expired()


class Stoppable(Actor):
    """An actor with jobs on the hardware, which a timeout handler can stop and start.

    While it is stopped the jobs on the hardware are the handler's: what comes back meanwhile is kept until the start.
    It stops only between two messages of its backend, and takes back what is on the hardware only then too.

    | state | is known by | what comes back | what could run |
    |---|---|---|---|
    | working | nothing of the following | is completed | runs |
    | stop due | `_stopper`, `_stop_due` | is kept in `_held` | waits for the end of a message, then it is stopped |
    | stopped | `_stopper` | is kept in `_held` | waits for the start |
    | ended | `_ended`; `_gone` too when the device is | is completed | is ended with an error |

    A report is under way while there is `_reported`; a fault came meanwhile if `_faulted`. `_cancel_due` stands from
    the end until the hardware was told.

    Attributes:
        scheduler: its handle.
    """

    signals: ClassVar = True

    def __init__(self, dispatch: Dispatch, scheduler: Scheduler, events: EventRing | None) -> None:
        super().__init__(dispatch, scheduler.name)
        world = current()
        self.scheduler = scheduler
        self._backend = scheduler.backend
        self._record = None if events is None else events.record
        self._now_ns = world.now_ns
        # The jobs on the hardware or complete but not freed, in the order they ran: freed from the front only.
        self._pending: deque[Job] = deque()
        self._in_band = InBand(self, scheduler.backend)
        self._handler = None if scheduler.domain is None else scheduler.domain.actor
        self._timer: HangTimer | None = None
        if self._handler is not None:
            self._timer = HangTimer(world, lambda: self.post(EXPIRED), scheduler.timeout_s)
        # What has stopped it, and whether it is still to be answered; what came back from the hardware meanwhile.
        self._stopper: StopSubmission | None = None
        self._stop_due = False
        self._held: list[Done] = []
        # The job that the handler was told of, until it has dealt with it; and a fault that came meanwhile.
        self._reported: Job | None = None
        self._faulted = False
        # Nothing more will run, after `fini`; and when the device is gone. What is on the hardware is to be taken back.
        self._ended = self._gone = self._cancel_due = False

    # Messages.

    def on_expired(self, _message: Expired) -> None:
        """Report the oldest job if it has had its time."""
        # While the handler deals with a report nobody looks: the start does.
        if self._reported is None and self._stopper is None:
            self._look_at_timer()

    def on_fault(self, _message: Fault) -> None:
        """Report the oldest job at once; without one there is nothing to report.

        One that comes during a recovery may be news: it is looked at afterwards. (kernel: drm_sched_fault)
        """
        if self._stopper is not None:
            self._faulted = True
        elif self._reported is None:
            self._report()

    def on_set_timeout(self, message: SetTimeout) -> None:
        """Change the time a job may take, and give the oldest its full time anew.

        (kernel: drm_sched_tdr_queue_imm, but for any time)
        """
        if self._timer is not None:
            self._timer.timeout_s = message.timeout_s
            self._time_oldest()

    def on_suspend_timeout(self, _message: SuspendTimeout) -> float | None:
        """Measure no time until it is resumed; answers how many seconds were left."""
        return None if self._timer is None else self._timer.suspend(self._now_ns())

    def on_resume_timeout(self, message: ResumeTimeout) -> None:
        """Measure time again."""
        if self._timer is not None:
            self._timer.resume(self._now_ns(), message.left_s, pending=bool(self._pending))

    def on_submission_stop(self, message: StopSubmission) -> None:
        """Hand the jobs on the hardware to the timeout handler, once no message of the backend is being processed.

        (kernel: drm_sched_stop)
        """
        self._stopper = message
        self._stop_due = True
        self._answer_stop()

    def on_submission_start(self, message: StartSubmission) -> None:
        """Take them back: complete what came back meanwhile, run more, and only then measure time again.

        (kernel: drm_sched_start)
        """
        self._stopper, self._stop_due = None, False
        if message.status is Status.ENODEV and not self._gone:
            self._ended = self._gone = self._cancel_due = True
            self.scheduler.ready = False
        held, self._held = self._held, []
        for done in held:
            self._complete(done.job, done.parent.error, done.parent.timestamp_ns)
        self._work()
        self._go_on_timing(message.status)

    messages: ClassVar = {
        Expired: on_expired,
        Fault: on_fault,
        SetTimeout: on_set_timeout,
        SuspendTimeout: on_suspend_timeout,
        ResumeTimeout: on_resume_timeout,
        StopSubmission: on_submission_stop,
        StartSubmission: on_submission_start,
    }

    # The work.

    def _oldest(self) -> Job | None:
        """Return the oldest job that is not complete."""
        return next((job for job in self._pending if not job.finished.signaled), None)

    def _report(self) -> None:
        """Have the timeout handler look at the oldest job."""
        job = self._oldest()
        if self._handler is None or job is None:
            return
        self._reported = job
        if self._record is not None:
            self._record((self._now_ns(), JOB_TIMEDOUT, self.name, job.queue.context, job.finished.seqno))
        self._handler.post(TimedOut(self, job))

    def _look_at_timer(self) -> None:
        if self._timer is not None and self._timer.expired(self._now_ns()):
            self._report()

    def _time_oldest(self) -> None:
        """Give the oldest job its full time; when the device is gone nobody would look at it."""
        if self._timer is None:
            return
        if self._pending and not self._gone:
            self._timer.begin(self._now_ns())
        else:
            self._timer.end()

    def _go_on_timing(self, status: Status) -> None:
        """Measure time after a recovery.

        A reset gives the oldest job its full time anew; if nothing hung, only the one that was reported gets it: for
        another one the time went on meanwhile, and it may be up.
        """
        reported, self._reported = self._reported, None
        faulted, self._faulted = self._faulted, False
        if self._timer is not None and not self._gone and reported is not None and self._oldest() is reported:
            self._timer.begin_again(self._now_ns())
        elif status is not Status.NO_HANG:
            self._time_oldest()
        if faulted:
            self._report()
        else:
            self._look_at_timer()

    def _answer_stop(self) -> None:
        if self._stop_due and not self._in_band.busy:
            assert self._stopper is not None
            self._stop_due = False
            self._free()
            self._stopper.reply_to.post(Stopped(self, tuple(self._pending), self._stopper))

    def _cancel_pending(self) -> None:
        """Take back what is on the hardware, newest first."""
        self._cancel_due = False
        for job in reversed(self._pending):
            self._backend.cancel_job(job)

    @abc.abstractmethod
    def _complete(self, job: Job, error: int, end_ns: int) -> None:
        """Finish a job that was on the hardware."""

    @abc.abstractmethod
    def _free(self) -> None:
        """Free the jobs that are complete, oldest first."""

    @abc.abstractmethod
    def _work(self) -> None:
        """Go on with whatever had to wait."""
