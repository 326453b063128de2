"""The scheduler's actor: chooses among the ready jobs, runs them, completes them, frees them."""

from __future__ import annotations

import errno
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from fencepost.actors.dispatch import Dispatch
from fencepost.actors.entity_queue import EntityQueue
from fencepost.actors.job import KEPT_BY_CLIENTS, FinishedFence, HardwareFence, Job
from fencepost.actors.messages import (
    Done,
    Fini,
    Killed,
    Queued,
    Ready,
    Recall,
    Recalled,
    Send,
    Stopped,
    StopSubmission,
    Turn,
)
from fencepost.actors.procedure import Resume
from fencepost.actors.static_message import StaticMessage
from fencepost.actors.stoppable import Stoppable
from fencepost.events import EventRing
from fencepost.events.kinds import JOB_DONE, JOB_RUN
from fencepost.fences import Fence
from fencepost.policies import RunOrder
from fencepost.sync import current
from fencepost.sync.tracking import tracked

if TYPE_CHECKING:
    from fencepost.actors.scheduler import Scheduler

__all__ = ["SchedulerActor"]


TURN = Turn()


@tracked("_busy_until_ns")
class SchedulerActor(Stoppable):
    """Everything about one hardware queue that must not happen at the same time.

    Each message that could let a job run ends with `_run`, which runs one; for the next it sends itself a message, so
    that others get a word in between two jobs. Nothing here blocks.

    It alone signals the fences of its jobs.

    Life cycle: *working* <-> *held up* (stopped by a timeout handler, or in the middle of a message of its backend) ->
    *ended* (by `fini`, or because the device is gone: whatever can run is ended instead).

    Attributes:
        credits_in_use: by jobs on the hardware. Anybody may read it.
        running: jobs on the hardware.
        completed, errored, cancelled: jobs that are done, by outcome; `errored` and `cancelled` exclude each other
            and are not among `completed`.
    """

    def __init__(
        self,
        dispatch: Dispatch,
        scheduler: Scheduler,
        run_queue: RunOrder[EntityQueue],
        events: EventRing | None,
    ) -> None:
        super().__init__(dispatch, scheduler, events)
        self._run_queue = run_queue
        # When the hardware finished what it finished last: a job that was handed over earlier has waited until then.
        self._busy_until_ns = 0
        # Jobs that will not run, with their errors, by the last job that was given to the hardware before them.
        self._refused: dict[Job, list[tuple[Job, int]]] = {}
        # A turn that it has asked for, and that is still to come.
        self._turn_due = False
        # Chosen here, so that it costs nothing where nobody checks.
        self._free_job = self._backend.free_job if current().poison is None else self._free_and_poison
        self.credits_in_use = self.running = 0
        self.completed = self.errored = self.cancelled = 0

    # Messages.

    def on_queued(self, message: Queued) -> None:
        """Note a job that cannot run yet: it counts for the place of its entity in the run queue."""
        message.job.announced = True
        self._enqueue(message.job)

    def on_ready(self, message: Ready) -> None:
        """Note a job that can run."""
        job = message.job
        queue = job.queue
        queue.ready_jobs += 1
        if not job.announced:
            self._enqueue(job)
        if not queue.ready:
            self._run_queue.wake(queue, queue.jobs[0].credits)
        self._run()

    def on_done(self, message: Done) -> None:
        """Complete a job whose hardware fence has signalled."""
        if self._stopper is not None:
            self._held.append(message)
            return
        self._complete(message.job, message.parent.error, message.parent.timestamp_ns)
        self._run()

    def on_recall(self, message: Recall) -> None:
        """Give the jobs of a killed entity back, those that are not on the hardware."""
        queue = message.queue
        self._run_queue.leave(queue)
        message.reply_to.post(Recalled(queue.recall(), queue.last_run))
        self._run()

    def on_killed(self, message: Killed) -> None:
        """End a job that will never run.

        (kernel: drm_sched_entity_kill_jobs_work)
        """
        self._end_unrun(message.job, -errno.ESRCH)

    def on_fini(self, _message: Fini) -> tuple[FinishedFence, ...]:
        """Run nothing more, and take back what is on the hardware; answers what will signal by that.

        A recovery that is under way comes to its end first, and so does a message of the backend.
        (kernel: drm_sched_fini)
        """
        self._ended = self._cancel_due = True
        pending = tuple(job.finished for job in self._pending)
        self._work()
        return pending

    def on_turn(self, _message: Turn) -> None:
        """Run the next job, after the next message of the backend."""
        self._turn_due = False
        self._work()

    def on_send(self, message: Send) -> None:
        """Take a message for the backend, and process it if nothing stands before it."""
        self._in_band.add(message)
        self._work()

    def on_resume(self, message: Resume) -> None:
        """Go on with the message of the backend that had to wait."""
        message.procedure.resume(message.turn)
        self._work()

    messages: ClassVar = {
        **Stoppable.messages,
        Ready: on_ready,
        Queued: on_queued,
        Done: on_done,
        Turn: on_turn,
        Recall: on_recall,
        Killed: on_killed,
        Fini: on_fini,
        Send: on_send,
        Resume: on_resume,
    }

    # The work.

    def _enqueue(self, job: Job) -> None:
        queue = job.queue
        if not queue.jobs:
            self._run_queue.join(queue, job.submit_ns, job.credits if queue.ready_jobs else None)
        queue.jobs.append(job)

    def _work(self) -> None:
        """Go on with whatever had to wait: first who wants to stop it, then a message, then a job."""
        self._answer_stop()
        if self._stopper is not None or self._in_band.busy:
            return
        if self._cancel_due:
            self._cancel_pending()
        self._in_band.process()
        if self._in_band.ready:
            self._take_turn()
        self._free()
        self._run()

    def _run(self) -> None:
        """Run the next job, if one is ready and there are credits for it."""
        if self._stopper is not None or self._in_band.busy:
            return
        if self._ended:
            self._refuse_ready()
            return
        limit = self.scheduler.credit_limit
        job = self._take(limit - self.credits_in_use)
        if job is None:
            return
        if job.queue.ban_error:
            self._refuse(job, job.queue.ban_error)
        else:
            self._start(job)
        if self.credits_in_use < limit and self._run_queue.any_ready:
            self._take_turn()

    def _take(self, free_credits: int) -> Job | None:
        """Choose the job that runs next, and take it out of its queue."""
        queue = self._run_queue.select(free_credits)
        if queue is None:
            return None
        jobs = queue.jobs
        if len(jobs) == 1:
            self._run_queue.pop(queue, None, None)
        else:
            following = jobs[1]
            self._run_queue.pop(queue, following.submit_ns, following.credits if queue.ready_jobs > 1 else None)
        return queue.take()

    def _take_turn(self) -> None:
        """Come back for what is left, after those whose messages are here already."""
        if not self._turn_due:
            self._turn_due = True
            self.post(TURN)

    def _start(self, job: Job) -> None:
        """Hand a job to the hardware.

        (kernel: drm_sched_run_job_work)
        """
        job.start_ns = now_ns = self._now_ns()
        self.credits_in_use += job.credits
        self.running += 1
        self._pending.append(job)
        job.queue.last_run = job.finished
        if self._record is not None:
            entity, queue = job.entity, job.queue
            place = (self.name, entity.name, entity.client, queue.context, job.finished.seqno)
            self._record((now_ns, JOB_RUN, *place, len(queue.jobs), self.credits_in_use))
        error = 0
        parent: Fence | None = None
        try:
            parent = self._backend.run_job(job)
        except OSError as refusal:
            error = -(refusal.errno or errno.EIO)
        # Only now: a timer that fires before would report a job that the hardware has never seen.
        if self._timer is not None and len(self._pending) == 1:
            self._timer.begin(now_ns)
        self._tell_scheduled(job, parent)
        if parent is None:
            self._complete(job, error, self._now_ns())
        elif not parent.add_callback(lambda fence: self.post(Done(job, fence))):
            # Complete already: but an earlier job may be too, whose message is still to be taken.
            self.post(Done(job, parent))

    def _tell_scheduled(self, job: Job, parent: Fence | None) -> None:
        """Signal that a job was handed over, after the hardware fence is there for whoever wakes up by that.

        (kernel: drm_sched_fence_scheduled)
        """
        if parent is not None:
            job.finished.set_parent(parent)
        job.scheduled.signal(0, job.start_ns)

    def _complete(self, job: Job, error: int, end_ns: int) -> None:
        """Finish a job that was on the hardware.

        (kernel: drm_sched_job_done)

        Credits, score, event and GPU time come before the signal: whoever wakes up by it finds them done.
        """
        self.credits_in_use -= job.credits
        self.running -= 1
        if error and self._gone:
            error = -errno.ENODEV
        if error == 0:
            self.completed += 1
        elif error == -errno.ECANCELED:
            self.cancelled += 1
        else:
            self.errored += 1
        queue, parent = job.queue, job.finished.parent
        executed_ns = parent.executed_ns if isinstance(parent, HardwareFence) else None
        if executed_ns is None:
            executed_ns = end_ns - max(job.start_ns, self._busy_until_ns)
            self._busy_until_ns = max(end_ns, self._busy_until_ns)
        self._run_queue.charge(queue, executed_ns)
        if queue.client is not None:
            queue.client.charge(self.scheduler.engine_class, executed_ns)
        queue.done += 1
        self._finish(job, error, end_ns)
        self._free()

    def _finish(self, job: Job, error: int, end_ns: int) -> None:
        self.scheduler.load.pop()
        if self._record is not None:
            self._record((end_ns, JOB_DONE, self.name, job.queue.context, job.finished.seqno, error))
        job.end(error, end_ns)

    def _free(self) -> None:
        """Free what is complete, oldest first, unless that has to wait for a message of the backend."""
        pending, refused = self._pending, self._refused
        if self._in_band.busy:
            return
        freed = None
        while pending and pending[0].finished.signaled:
            freed = pending.popleft()
            behind = refused.pop(freed, ()) if refused else ()
            self._free_job(freed)
            for job, error in behind:
                self._end_unrun(job, error)
        if self._timer is not None and freed is not None:
            self._time_oldest()

    def _free_and_poison(self, job: Job) -> None:
        self._backend.free_job(job)
        poison = current().poison
        assert poison is not None
        poison(job, KEPT_BY_CLIENTS)

    def _refuse(self, job: Job, error: int) -> None:
        """End a job that was ready, and does not run.

        It was ready when what it depends on, and the job before it, were on this hardware; so it ends behind them.
        """
        job.queue.last_run = job.finished
        if self._pending:
            self._refused.setdefault(self._pending[-1], []).append((job, error))
        else:
            self._end_unrun(job, error)

    def _refuse_ready(self) -> None:
        """End the jobs that could run if this were not the end; the others when they could."""
        error = -errno.ENODEV if self._gone else -errno.ECANCELED
        while (job := self._take(self.scheduler.credit_limit)) is not None:
            self._refuse(job, error)

    def _end_unrun(self, job: Job, error: int) -> None:
        """End a job that was not on the hardware."""
        self.cancelled += 1
        job.queue.done += 1
        self._finish(job, error, self._now_ns())
        self._free_job(job)

    # Too late.

    def on_dead_letter(self, message: object) -> None:
        """End a job that comes after the end, so that nobody waits for ever."""
        if isinstance(message, (Ready, Killed, Done)):
            message.job.lose(-errno.ENODEV)
        elif isinstance(message, Recall):
            message.reply_to.post(Recalled((), None))
        elif isinstance(message, StopSubmission):
            message.reply_to.post(Stopped(self, (), message))
        elif isinstance(message, Send) and isinstance(message.message, StaticMessage):
            message.message.drop()

    def on_failure(self, *_: object, **__: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """End every job it knows: it will not get round to them."""
        self._ended = True
        self.scheduler.ready = False
        if self._timer is not None:
            self._timer.close()
        try:
            self._in_band.close()
        finally:
            if self._stop_due:
                assert self._stopper is not None
                self._stopper.reply_to.post(Stopped(self, (), self._stopper))
            self._lose_all()

    def _lose_all(self) -> None:
        # What a recovery has in hand is its own.
        ours = self._stopper is None
        while self._pending:
            job = self._pending.popleft()
            parent = job.finished.parent
            if ours and parent is not None and not parent.signaled:
                # Or the hardware would go on with what nobody hears of. The backend may be what has failed.
                with suppress(Exception):
                    self._backend.cancel_job(job)
            self.running -= not job.finished.signaled
            job.lose(-errno.ENODEV)
        refused, self._refused = self._refused, {}
        for behind in refused.values():
            for job, _ in behind:
                job.lose(-errno.ENODEV)
        while (queue := self._run_queue.head) is not None:
            self._run_queue.leave(queue)
            for job in queue.jobs:
                job.lose(-errno.ENODEV)

    def on_stop(self) -> None:
        """Take back what is on the hardware, and free what is complete, if that had to wait until now."""
        try:
            self._in_band.close()
            if self._cancel_due:
                self._cancel_pending()
            self._free()
        finally:
            self.on_failure()
