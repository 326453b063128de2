"""The entity's actor: resolves what its jobs depend on, in order, and offers them to the scheduler."""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable
from typing import ClassVar

from fencepost.actors.actor import Actor
from fencepost.actors.dispatch import Dispatch
from fencepost.actors.entity_queue import EntityQueue
from fencepost.actors.job import FinishedFence, Job, ScheduledFence
from fencepost.actors.messages import Abandon, Kill, Killed, Push, Queued, Ready, Recall, Recalled, Wake
from fencepost.events import EventRing
from fencepost.events.kinds import ENTITY_KILLED, JOB_UNSCHEDULABLE
from fencepost.fences import Fence
from fencepost.sync import current
from fencepost.sync.tracking import tracked

__all__ = ["EntityActor"]

WAKE = Wake()


@tracked("_awaited", "_previous")
class EntityActor(Actor):
    """Holds the jobs of an entity until each is the oldest and all it depends on has signalled.

    Life cycle: *alive* (a resolved job is offered to the scheduler) -> *recalling* (killed; the scheduler is asked
    what has not run) -> *killed* (a resolved job is ended instead).

    A killed job still waits for everything it depends on, and for the job before it: the memory that its fence guards
    may be in use until then.
    """

    signals: ClassVar = True

    def __init__(self, dispatch: Dispatch, queue: EntityQueue, events: EventRing | None) -> None:
        super().__init__(dispatch, queue.name)
        self._queue = queue
        self._contexts = (queue.context - 1, queue.context)
        self._record = None if events is None else events.record
        # Pushed and not yet offered, oldest first; and the fence the oldest waits for, None when it waits for none.
        self._jobs: deque[Job] = deque()
        self._awaited: Fence | None = None
        # Of the last job that its backend was prepared for: signals when that was handed over.
        self._prepared: Fence | None = None
        self._kill: Kill | None = None
        self._killed = False
        self._previous: Fence | None = None

    # Messages.

    def on_push(self, message: Push) -> None:
        """Take a job from the client, and offer it if nothing stands before it."""
        self._jobs.append(message.job)
        if self._awaited is None:
            self._advance()
        if self._jobs and self._kill is None:
            message.job.scheduler.actor.post(Queued(message.job))

    def on_wake(self, _message: Wake) -> None:
        """Go on when the awaited fence has signalled; a late wake-up by an earlier one changes nothing."""
        if self._awaited is not None and self._awaited.signaled:
            self._awaited = None
            self._advance()

    def on_kill(self, message: Kill) -> None:
        """Ask the scheduler for what it was offered and has not run."""
        self._kill = message
        self._cease_waiting()
        message.scheduler.post(Recall(self._queue, self))

    def on_recalled(self, message: Recalled) -> None:
        """Begin to end what will not run, behind the last job that did."""
        assert self._kill is not None
        self._killed = True
        self._previous = message.last_run
        self._jobs.extendleft(reversed(message.jobs))
        self._rewind()
        self._give_back()
        if self._record is not None and self._jobs:
            self._record((current().now_ns(), ENTITY_KILLED, self.name, len(self._jobs)))
        self._kill.recalled.open()
        self._advance()

    def on_abandon(self, _message: Abandon) -> int:
        """End the killed jobs now, whatever they wait for; answers how many there were."""
        jobs = len(self._jobs)
        while self._jobs:
            self._end(self._jobs.popleft())
        return jobs

    messages: ClassVar = {
        Push: on_push,
        Wake: on_wake,
        Kill: on_kill,
        Recalled: on_recalled,
        Abandon: on_abandon,
    }

    # The work.

    def _advance(self) -> None:
        """Release jobs from the front until one must wait."""
        if self._kill is not None and not self._killed:
            return
        jobs = self._jobs
        while jobs:
            job = jobs[0]
            fence = self._unmet_of_killed(job) if self._killed else self._unmet(job)
            if fence is not None:
                if self._await(job, fence):
                    return
            elif self._killed:
                self._end(jobs.popleft())
            elif job.scheduler.prepare_job is not None and not self._prepare(job, job.scheduler.prepare_job):
                return
            else:
                job.scheduler.actor.post(Ready(jobs.popleft()))

    def _unmet(self, job: Job) -> Fence | None:
        """Return the next fence the job must wait for.

        (kernel: drm_sched_entity_add_dependency_cb)
        """
        dependencies = job.dependencies
        while job.cursor < len(dependencies):
            fence = dependencies[job.cursor]
            job.cursor += 1
            if fence.signaled or fence.context in self._contexts:
                continue
            if isinstance(fence, FinishedFence) and fence.scheduler is job.scheduler:
                # Pipelining: on one hardware queue it is enough that the other was handed over before.
                fence = fence.scheduled
                if fence.signaled:
                    continue
            return fence
        return None

    def _prepare(self, job: Job, prepare_job: Callable[[Job], Fence | None]) -> bool:
        """Have the backend take what the oldest job needs; False when there is something to wait for.

        Not before the job before it was handed over: a long line of jobs would hold what only its first can use.
        """
        last = self._prepared
        fence = prepare_job(job) if last is None or last.signaled else last
        if fence is None:
            self._prepared = job.scheduled
        elif not self._await(job, fence):
            # By a message, so that others get a word in where the backend says this again and again.
            self._awaited = fence
            self.post(WAKE)
        return fence is None

    def _give_back(self) -> None:
        """Have what the jobs hold taken back, and their places in line: they will not run."""
        for job in self._jobs:
            if job.resources is not None:
                job.resources.release(job)

    def _rewind(self) -> None:
        """Have all dependencies looked at again: the one that was waited for, and those met by a `scheduled`."""
        for job in self._jobs:
            job.cursor = 0

    def _unmet_of_killed(self, job: Job) -> Fence | None:
        """Return the next fence a killed job must wait for: all are waited for to the end."""
        fences = job.dependencies if self._previous is None else (self._previous, *job.dependencies)
        while job.cursor < len(fences):
            fence = fences[job.cursor]
            job.cursor += 1
            if isinstance(fence, ScheduledFence):
                fence = fence.finished or fence
            if not fence.signaled:
                return fence
        return None

    def _await(self, job: Job, fence: Fence) -> bool:
        """Have `fence` wake us; False when it has signalled meanwhile."""
        # Before the callback is there: from then on the wake-up may be on its way.
        self._awaited = fence
        if self._record is not None:
            mine = job.finished
            self._record((current().now_ns(), JOB_UNSCHEDULABLE, mine.context, mine.seqno, fence.context, fence.seqno))
        if fence.add_callback(self._wake):
            return True
        self._awaited = None
        return False

    def _cease_waiting(self) -> None:
        if self._awaited is not None:
            self._awaited.remove_callback(self._wake, wait=False)
            self._awaited = None

    def _wake(self, _fence: Fence) -> None:
        self.post(WAKE)

    def _end(self, job: Job) -> None:
        self._previous = job.finished
        job.scheduler.actor.post(Killed(job))

    # Too late.

    def on_dead_letter(self, message: object) -> None:
        """End a job that was pushed after the end, so that nobody waits for ever."""
        if isinstance(message, Push):
            message.job.lose(-errno.ESRCH)
        elif isinstance(message, Kill):
            message.recalled.open()
        elif isinstance(message, Recalled):
            for job in message.jobs:
                job.lose(-errno.ESRCH)

    def on_failure(self, *_: object, **__: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """End every job it holds: it will not get round to them."""
        self._cease_waiting()
        while self._jobs:
            self._jobs.popleft().lose(-errno.ENODEV)
        if self._kill is not None:
            self._kill.recalled.open()

    on_stop = on_failure
