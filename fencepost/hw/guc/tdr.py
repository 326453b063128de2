"""What a queue does with a job that has had its time. All errors of a queue come by here; nothing else ends jobs."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from fencepost.actors import Job, Recovery, Status, Steps
from fencepost.hw.guc.queue_state import DEAD, Bit
from fencepost.policies import Health, Priority
from fencepost.policies.recovery import Action, Fate, Verdict

if TYPE_CHECKING:
    from fencepost.hw.guc.queue import Entry, GucQueue

__all__ = ["PATIENCE", "Tdr"]

PATIENCE: Final = 2
"""So often a job is let go on that has not started yet, or that must never fail, and so many resets may pass it by."""

SLACK_PERCENT: Final = 5
"""The clock of a context runs a little slow."""


class Tdr:
    """The steps of a recovery, in the timeout handler while the scheduler of the queue is stopped.

    No fence signals before the context is known to be off its engine, since that frees memory.
    """

    def __init__(self, queue: GucQueue) -> None:
        self._queue = queue
        self._state = queue.state

    def steps(self, job: Job, recovery: Recovery) -> Steps[Status]:
        """Find out whether a job hangs, and end all jobs of the queue if it does."""
        entry = self._queue.entries[job]
        if self._queue.irq.complete(entry.fence):
            return Status.NO_HANG
        to_end = self._is_to_end()
        if not self._state.has(Bit.KILLED):
            recovery.capture()
        if self._is_known():
            enabled = self._state.has(Bit.ENABLED)
            if not (yield from self._disable(at_once=to_end)):
                self._give_up()
                return Status.NO_HANG
            # It may have been reset while it was being disabled.
            to_end = to_end or self._is_to_end()
            if not to_end and (self._queue.irq.complete(entry.fence) or not self._timed_out(entry)):
                yield from self._let_go_on(enabled=enabled)
                return Status.NO_HANG
        if self._must_not_fail(entry):
            self._queue.guc.reset(f"{self._queue.name} must not fail")
            return Status.NO_HANG
        self._ban(job, recovery)
        self._deregister()
        self._end_jobs(recovery)
        return Status.RESET

    def _is_to_end(self) -> bool:
        """Say whether there is nothing to find out."""
        return self._state.has(DEAD | Bit.RESET | Bit.DESTROYED)

    def _is_known(self) -> bool:
        """Say whether the firmware may be running it, and can be asked not to."""
        bits = self._state.bits
        return bool(bits & Bit.REGISTERED) and not bits & Bit.DESTROYED and self._queue.guc.running

    def _disable(self, *, at_once: bool) -> Steps[bool]:
        """Take the context off its engine; False when nobody says that it is."""
        queue, state = self._queue, self._state
        if not (yield queue.until_settled()) or queue.guc.stopped:
            return False
        if not at_once:
            state.change(set_=Bit.CHECK_TIMEOUT)
        if state.has(Bit.ENABLED) and queue.guc.running:
            queue.context.disable(at_once=at_once)
        answered = yield queue.until(lambda: not state.has(Bit.PENDING_DISABLE))
        return answered and not queue.guc.stopped

    def _give_up(self) -> None:
        """Leave it to a reset of the device, and come back after that."""
        self._hold()
        self._queue.fail(f"{self._queue.name}: no answer to its disable")

    def _hold(self) -> None:
        """Keep the queue until the firmware has forgotten it; one that is being closed is kept by that."""
        if not self._state.has(Bit.EXTRA_REF) and self._queue.try_get():
            self._state.change(set_=Bit.EXTRA_REF)

    def _timed_out(self, entry: Entry) -> bool:
        """Say whether a job has used its time, or does not even start; waiting for others is no fault of its own."""
        queue = self._queue
        if self._state.has(Bit.SUSPENDED):
            return False
        started, ran_ns = queue.guc.hardware.progress(entry.job)
        if not started:
            entry.timeouts += 1
            return entry.timeouts > PATIENCE
        return queue.timeout_s is not None and ran_ns * (100 + SLACK_PERCENT) / 100 >= queue.timeout_s * 1e9

    def _let_go_on(self, *, enabled: bool) -> Steps[None]:
        """Run the context again, if it ran."""
        queue, state = self._queue, self._state
        state.change(clear=Bit.CHECK_TIMEOUT)
        if not enabled or state.has(Bit.SUSPENDED):
            return
        queue.context.enable(Bit.PENDING_TDR_EXIT)
        if not (yield queue.until(lambda: not state.has(Bit.PENDING_ENABLE))):
            queue.fail(f"{queue.name}: no answer to its enable")

    def _must_not_fail(self, entry: Entry) -> bool:
        """Say whether to reset the device rather than to end a job of the kernel; not for ever."""
        if entry.job.queue.priority is not Priority.KERNEL or self._state.dead:
            return False
        return entry.resets < PATIENCE

    def _ban(self, job: Job, recovery: Recovery) -> None:
        queue, state = self._queue, self._state
        # Whoever has killed or banned it before knows whether it is to blame.
        if not state.dead:
            queue.health = Health.GUILTY
        recovery.ban(job.queue, health=queue.health)
        state.change(set_=Bit.BANNED, clear=Bit.CHECK_TIMEOUT)
        state.changed.wake_all()
        queue.suspension.finish()

    def _deregister(self) -> None:
        if self._is_known():
            self._hold()
            self._queue.context.deregister()

    def _end_jobs(self, recovery: Recovery) -> None:
        """Give every job its error, then let all signal at once."""
        irq = self._queue.irq
        irq.stop()
        entries = self._queue.incomplete()
        fates = tuple(self._fate(first=entry is entries[0]) for entry in entries)
        banned = {entry.job.queue.context: self._queue.health for entry in entries}
        recovery.pronounce(Verdict(fates, banned), [entry.job for entry in entries])
        for entry, fate in zip(entries, fates, strict=True):
            irq.fail(entry.fence, fate.error)
        irq.start()

    def _fate(self, *, first: bool) -> Fate:
        """Return what becomes of a job: the first that did not complete ends with the real error."""
        guilty = first and self._queue.health is Health.GUILTY
        return Fate(Action.KILL, self._error() if first else -errno.ECANCELED, blamed=guilty)

    def _error(self) -> int:
        if self._state.has(Bit.RESET):
            return -errno.EIO
        return -errno.ECANCELED if self._state.has(Bit.KILLED) else -errno.ETIME
