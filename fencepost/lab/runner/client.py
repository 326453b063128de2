"""A client: one task that goes through the steps of its workload again and again."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from contextlib import suppress

from fencepost.actors import Entity, Job
from fencepost.actors.cgroups import Client as DrmClient
from fencepost.lab.runner.context_queue import ContextQueue
from fencepost.lab.runner.cycles import Cycles
from fencepost.lab.runner.losses import Losses
from fencepost.lab.runner.plan import Place, Plan
from fencepost.lab.runner.soft_fences import SoftFences
from fencepost.lab.runner.submission import Mishap, Submission
from fencepost.lab.runner.throttles import Throttles
from fencepost.lab.runner.watch import Watch
from fencepost.lab.setup import ClientSetup
from fencepost.lab.wsim import (
    Batch,
    ContextPriority,
    Delay,
    Period,
    Preemption,
    QueueThrottle,
    SignalFence,
    SoftwareFence,
    Step,
    Sync,
    Terminate,
    Throttle,
)
from fencepost.policies import Priority
from fencepost.sync import current, deadline_ns

__all__ = ["Client"]


class _LeftEarly(Exception):  # noqa: N818 - not an error
    """Raised in a client that is to end before the end of its cycle."""


class Client:
    """Goes through a workload as gem_wsim does.

    Life cycle: *waiting* for its start -> *cycling* -> *draining* (waits for all it submitted) -> *ended*.

    It begins no further cycle when it has done its repeats or the time is up. When the clients in the foreground have
    ended, one in the background does not even do its next step; nor does any client when the run is ended early. Such a
    cycle does not count. What it left open is closed: fences signal, unbounded batches end.

    Between cycles it does not wait for its batches.

    When a context of it was banned or killed it makes a new one and goes on, as a robust program does; when the device
    is lost it ends.

    Args:
        setup: what it does.
        queues: where its batches go.
        submission, soft_fences, throttles, cycles: its own.
        terminate: ends unbounded batches.
        set_priority: changes how important an entity is.
        watch: whom it tells.
        drm: what it has of control groups; it leaves them at its end.

    Attributes:
        start_ns: when its first cycle began; None before that.
        end_ns: when it ended, or None.
        losses: what went wrong for it.
        submission: as given.
    """

    def __init__(
        self,
        *,
        setup: ClientSetup,
        plan: Plan,
        queues: Mapping[Place, ContextQueue],
        submission: Submission,
        soft_fences: SoftFences,
        cycles: Cycles,
        losses: Losses,
        terminate: Callable[[Job], None],
        set_priority: Callable[[Entity, Priority], None],
        watch: Watch,
        drm: DrmClient | None = None,
    ) -> None:
        self.setup = setup
        self.cycles = cycles
        self.losses = losses
        self.submission = submission
        self.start_ns: int | None = None
        self.end_ns: int | None = None
        self._steps = setup.workload.steps
        self._plan = plan
        self._queues = queues
        self._soft_fences = soft_fences
        self._throttles = Throttles(self._steps, queues)
        self._terminate = terminate
        self._set_entity_priority = set_priority
        self._watch = watch
        self._drm = drm
        self._leave = watch.alone if setup.background else watch.over
        self._priorities: dict[int, Priority] = {}
        # Written by the task that kills it, before the kill; read after the refusal that this brings about.
        self._killed = False
        self._away_until_ns: int | None = None
        self._now_ns: Callable[[], int] = current().now_ns

    def run(self, start_ns: int, last_start_ns: int | None) -> None:
        """Be the client: the function of its task.

        Args:
            start_ns: when to begin.
            last_start_ns: from when on to begin no further cycle, or None.
        """
        current().wait_exactly()
        try:
            with suppress(_LeftEarly):
                self._go_round(start_ns, last_start_ns)
            self._drain()
        finally:
            self.end_ns = self._now_ns()
            try:
                if self._drm is not None:
                    self._drm.close()
            finally:
                self._watch.client_done(background=self.setup.background)

    def befall(self, mishap: Mishap) -> bool:
        """Have its next batch go wrong; False when there will be none. Any task."""
        if self.end_ns is not None:
            return False
        self.submission.mishaps.append(mishap)
        return True

    def stay_away(self, seconds: float | None) -> bool:
        """Be gone for so long from the next refusal on, None for good; False when it has ended. Before the kill."""
        if self.end_ns is not None:
            return False
        self._away_until_ns = deadline_ns(seconds)
        self._killed = True
        return True

    def close(self) -> None:
        """Close what its cycle left open. Any task, once the client is to end."""
        self._soft_fences.signal_all()
        for index, step in enumerate(self._steps):
            if isinstance(step, Batch) and step.unbounded and index in self.submission.jobs:
                self._terminate(self.submission.jobs[index])

    def _go_round(self, start_ns: int, last_start_ns: int | None) -> None:
        if last_start_ns is not None and start_ns >= last_start_ns:
            return
        self._sleep_until(start_ns)
        self._check()
        cycles, repeats = self.cycles, self.setup.repeats
        self.start_ns = self._now_ns()
        cycles.begin(self.start_ns)
        while (repeats is None or cycles.count < repeats) and (
            last_start_ns is None or cycles.start_ns < last_start_ns
        ):
            self._cycle()

    def _cycle(self) -> None:
        for index, step in enumerate(self._steps):
            self._check()
            self._do(index, step)
        self._check()
        self._soft_fences.signal_all()
        self.cycles.end(self._now_ns())
        self._watch.cycle_done()

    def _drain(self) -> None:
        self.close()
        for queue in self._queues.values():
            for job in list(queue.pending()):
                job.finished.wait()

    def _check(self) -> None:
        self._watch.look()
        if self._leave.is_open:
            raise _LeftEarly

    def _sleep_until(self, when_ns: int) -> None:
        """Block until then, or until the client is to end."""
        self._leave.wait_until(when_ns)

    # Steps.

    def _do(self, index: int, step: Step) -> None:
        """Do a step that may take time; the others set something."""
        match step:
            case Batch():
                self._batch(index, step)
            case Period():
                when_ns = self.cycles.period(index, step.period_us, self._now_ns())
                if when_ns is not None:
                    self._sleep_until(when_ns)
            case Delay():
                self._sleep_until(self._now_ns() + 1000 * step.delay_us)
            case Sync():
                self.submission.jobs[step.target].finished.wait()
            case _:
                self._set(index, step)

    def _batch(self, index: int, batch: Batch) -> None:
        place = self._plan.places[index]
        self._throttles.wait(index, place.engines)
        while True:
            try:
                job = self.submission.submit(index, batch)
                break
            except OSError as refusal:
                self._go_on_after(refusal, self._queues[place])
        self._throttles.note(job)
        if batch.wait:
            job.finished.wait()

    def _go_on_after(self, refusal: OSError, queue: ContextQueue) -> None:
        """Make a new context where the old one is dead; end where there is nothing to go on with."""
        self._leave_if_lost(refusal)
        if refusal.errno != errno.ECANCELED:
            raise refusal
        self._stay_away()
        if self._leave.is_open:
            raise _LeftEarly from refusal
        try:
            queue.renew()
        except OSError as again:
            self._leave_if_lost(again)
            raise

    def _leave_if_lost(self, refusal: OSError) -> None:
        """End when the device is wedged or gone."""
        if refusal.errno in {errno.EIO, errno.ENODEV}:
            self.losses.device = True
            raise _LeftEarly from refusal

    def _stay_away(self) -> None:
        """Block for as long as a client that was killed is gone; end if that is for good."""
        if self._killed:
            self._killed = False
            if self._away_until_ns is None:
                raise _LeftEarly
            self._leave.wait_until(self._away_until_ns)

    def _set(self, index: int, step: Step) -> None:
        match step:
            case SoftwareFence():
                self._soft_fences.make(index)
            case SignalFence():
                self._soft_fences.signal(step.target)
            case Terminate():
                self._terminate(self.submission.jobs[step.target])
            case Throttle():
                self._throttles.steps_back = step.steps_back
            case QueueThrottle():
                self._throttles.limit = step.limit
            case Preemption():
                self.submission.set_preemption(step.ctx, step.preempt_us)
            case ContextPriority():
                self._set_priority(step.ctx, _priority(step.priority))
            case _:
                pass

    def _set_priority(self, ctx: int, priority: Priority) -> None:
        """Change the priority of a context, unless it has it already."""
        if self._priorities.get(ctx, self.setup.priority) == priority:
            return
        self._priorities[ctx] = priority
        for place, queue in self._queues.items():
            if place.ctx == ctx:
                for entity in queue.entities.values():
                    self._set_entity_priority(entity, priority)


def _priority(i915: int) -> Priority:
    """Return the priority for a number as i915 takes it: 0 is normal, more is more urgent."""
    if i915 == 0:
        return Priority.NORMAL
    return Priority.HIGH if i915 > 0 else Priority.LOW
