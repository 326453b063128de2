"""The scheduler's actor: chooses among the ready jobs, runs them, completes them, frees them."""

from __future__ import annotations

import errno
from collections import deque
from typing import TYPE_CHECKING, ClassVar

from fencepost.actors.actor import Actor
from fencepost.actors.dispatch import Dispatch
from fencepost.actors.entity_queue import EntityQueue
from fencepost.actors.job import FinishedFence, Job
from fencepost.actors.messages import Done, Fini, Killed, Queued, Ready, Recall, Recalled
from fencepost.events import EventRing
from fencepost.events.kinds import JOB_DONE, JOB_RUN
from fencepost.fences import Fence
from fencepost.policies import RunQueue
from fencepost.sync import current

if TYPE_CHECKING:
    from fencepost.actors.scheduler import Scheduler

__all__ = ["SchedulerActor"]


class SchedulerActor(Actor):
    """Everything about one hardware queue that must not happen at the same time.

    Each message that could let a job run ends with `_run`, which runs jobs until the credits are used up or none is
    ready; so a control message waits for at most as many jobs as there are credits. Nothing here blocks.

    It alone signals the fences of its jobs.

    Attributes:
        credits_in_use: by jobs on the hardware. Anybody may read it.
        running: jobs on the hardware.
        completed, errored, cancelled: jobs that are done, by outcome; `errored` and `cancelled` exclude each other
            and are not among `completed`.
    """

    def __init__(
        self, dispatch: Dispatch, scheduler: Scheduler, run_queue: RunQueue[EntityQueue], events: EventRing | None
    ) -> None:
        super().__init__(dispatch, scheduler.name)
        self._scheduler = scheduler
        self._backend = scheduler.backend
        self._run_queue = run_queue
        self._record = None if events is None else events.record
        self._now_ns = current().now_ns
        # The jobs on the hardware or complete but not freed, in the order they ran: freed from the front only.
        self._pending: deque[Job] = deque()
        # When the hardware finished what it finished last: a job that was handed over earlier has waited until then.
        self._busy_until_ns = 0
        self._stopped = False
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
        job = message.job
        self.cancelled += 1
        self._finish(job, -errno.ESRCH, self._now_ns())
        self._backend.free_job(job)

    def on_fini(self, _message: Fini) -> tuple[FinishedFence, ...]:
        """Run nothing more, and take back what is on the hardware, newest first; answers what will signal by that.

        (kernel: drm_sched_fini)
        """
        self._stopped = True
        for job in reversed(self._pending):
            self._backend.cancel_job(job)
        return tuple(job.finished for job in self._pending)

    messages: ClassVar = {
        Ready: on_ready,
        Queued: on_queued,
        Done: on_done,
        Recall: on_recall,
        Killed: on_killed,
        Fini: on_fini,
    }

    # The work.

    def _enqueue(self, job: Job) -> None:
        queue = job.queue
        if not queue.jobs:
            self._run_queue.join(queue, job.submit_ns, job.credits if queue.ready_jobs else None)
        queue.jobs.append(job)

    def _run(self) -> None:
        """Run jobs while there are credits and ready ones."""
        run_queue = self._run_queue
        limit = self._scheduler.credit_limit
        while not self._stopped:
            queue = run_queue.select(limit - self.credits_in_use)
            if queue is None:
                return
            jobs = queue.jobs
            if len(jobs) == 1:
                run_queue.pop(queue, None, None)
            else:
                following = jobs[1]
                run_queue.pop(queue, following.submit_ns, following.credits if queue.ready_jobs > 1 else None)
            self._start(queue.take())

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
        self._tell_scheduled(job, parent)
        if parent is None:
            self._complete(job, error, self._now_ns())
        elif not parent.add_callback(lambda fence: self.post(Done(job, fence))):
            self._complete(job, parent.error, parent.timestamp_ns)

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
        if error == 0:
            self.completed += 1
        elif error == -errno.ECANCELED:
            self.cancelled += 1
        else:
            self.errored += 1
        queue, start_ns, busy_until_ns = job.queue, job.start_ns, self._busy_until_ns
        self._run_queue.charge(queue, end_ns - (start_ns if start_ns > busy_until_ns else busy_until_ns))  # noqa: FURB136 - hot
        if end_ns > busy_until_ns:
            self._busy_until_ns = end_ns
        queue.done += 1
        self._finish(job, error, end_ns)
        self._free()

    def _finish(self, job: Job, error: int, end_ns: int) -> None:
        self._scheduler.load.pop()
        if self._record is not None:
            self._record((end_ns, JOB_DONE, self.name, job.queue.context, job.finished.seqno, error))
        job.end(error, end_ns)

    def _free(self) -> None:
        pending = self._pending
        while pending and pending[0].finished.signaled:
            self._backend.free_job(pending.popleft())

    # Too late.

    def on_dead_letter(self, message: object) -> None:
        """End a job that comes after the end, so that nobody waits for ever."""
        if isinstance(message, (Ready, Killed, Done)):
            message.job.lose(-errno.ENODEV)
        elif isinstance(message, Recall):
            message.reply_to.post(Recalled((), None))

    def on_failure(self, *_: object, **__: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """End every job it knows: it will not get round to them."""
        self._stopped = True
        self._scheduler.ready = False
        while self._pending:
            job = self._pending.popleft()
            self.running -= not job.finished.signaled
            job.lose(-errno.ENODEV)
        while (queue := self._run_queue.head) is not None:
            self._run_queue.leave(queue)
            for job in queue.jobs:
                job.lose(-errno.ENODEV)

    on_stop = on_failure
