"""The driver: it feeds the firmware, and ends the jobs that the firmware is done with."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fencepost.actors import Job
from fencepost.hw.agx.command import Command
from fencepost.hw.agx.completions import Completions
from fencepost.hw.agx.event_slots import EventSlots
from fencepost.hw.agx.marking import OnHardware, carry_out
from fencepost.hw.agx.messages import Garbage, Kick
from fencepost.hw.agx.result import Result
from fencepost.hw.agx.shared import Shared
from fencepost.hw.agx.submission import Submission
from fencepost.hw.agx.work_queue import OpenJob, WorkQueue
from fencepost.policies.recovery import Verdict
from fencepost.sync import current
from fencepost.sync.tracking import tracked

if TYPE_CHECKING:
    from fencepost.hw.agx.firmware import Firmware
    from fencepost.hw.agx.reaper import Reaper

__all__ = ["Driver"]


@tracked("_crashed", "_held", "_submissions")
class Driver:
    """What the schedulers, the event handler and the recovery of one device share.

    Life cycle: *working* -> *crashed* (for good: what there was has ended with -ENODEV, and nothing is taken).

    `_lock` protects all fields, the event slots, and the driver's half of the work queues. It comes before the locks
    of the firmware, the completions and the inboxes. Fences are signalled after it was dropped.

    Args:
        events: how many event slots there are.

    Attributes:
        shared: the words of the halt cycle.
        slots: the event slots.
        firmware, reaper: set once, before the first job.
    """

    firmware: Firmware
    reaper: Reaper

    def __init__(self, events: int) -> None:
        world = current()
        self.shared = Shared()
        self.slots = EventSlots(events)
        self._now_ns = world.now_ns
        self._lock = world.lock()
        # All that are not freed, in the order they came; and those among them that there was no room for.
        self._submissions: dict[Job, Submission] = {}
        self._held: list[Submission] = []
        self._crashed = False
        self._completions = Completions(world)

    # What a user queue does with its jobs.

    def submit(self, submission: Submission) -> None:
        """Take a job; it is held while others are before it, or there is no room for it.

        Raises:
            OSError: ENODEV when the device has crashed, EINVAL when the job could never run.
        """
        job = submission.job
        with self._lock:
            if self._crashed:
                raise OSError(errno.ENODEV, f"{job!r}: the device has crashed")
            self._check(submission)
            self._submissions[job] = submission
            self._held.append(submission)
            self._feed_locked()

    def cancel(self, job: Job, error: int) -> None:
        """Take a job off the hardware; by the return its fence has signalled, with `error` unless it was done."""
        self.reap()
        with self._lock:
            submission = self._submissions.get(job)
            if submission is not None and not submission.ended:
                submission.error = error
                self.firmware.take_off(submission)
                self._end_locked([submission])
                # Others may have waited behind it.
                self._feed_locked()
        self._completions.signal()
        if submission is not None:
            # Another task may be about to do it; the second signal does nothing.
            submission.signal()

    @property
    def crashed(self) -> bool:
        """Whether the device was given up. Any context."""
        with self._lock:
            return self._crashed

    def forget(self, job: Job) -> None:
        """Keep nothing of a job that has ended."""
        with self._lock:
            self._submissions.pop(job, None)

    def find(self, job: Job) -> Submission | None:
        """Return a job that has not ended. Any context."""
        with self._lock:
            submission = self._submissions.get(job)
            return None if submission is None or submission.ended else submission

    def _live_locked(self) -> list[Submission]:
        return [submission for submission in self._submissions.values() if not submission.ended]

    def _check(self, submission: Submission) -> None:
        job = submission.job
        if len(submission.parts) > len(self.slots):
            raise OSError(errno.EINVAL, f"{job!r} needs {len(submission.parts)} event slots of {len(self.slots)}")
        for queue, commands in submission.parts.items():
            if len(commands) > queue.most_at_once:
                raise OSError(errno.EINVAL, f"{job!r} has {len(commands)} commands, more than go into a {queue!r}")

    # Feeding the firmware; the lock is held.

    def _feed_locked(self) -> None:
        """Start what was held, in order.

        Nobody overtakes a job that waits for event slots, or it might wait for ever; one that waits for room in its
        own work queues is overtaken by those of others.
        """
        if self._crashed:
            return
        full: set[WorkQueue] = set()
        for submission in tuple(self._held):
            if submission.error:
                # Killed: it ends as soon as the firmware goes on.
                continue
            if full.isdisjoint(submission.parts) and self._start_locked(submission):
                self._held.remove(submission)
            elif sum(queue.slot is None for queue in submission.parts) > self.slots.free:
                return
            else:
                full.update(submission.parts)

    def _start_locked(self, submission: Submission) -> bool:
        """Let the firmware have a job: all parts of it, or nothing."""
        jobs: list[OpenJob] = []
        for queue, commands in submission.parts.items():
            job = queue.open(len(commands))
            if job is None:
                for other in reversed(jobs):
                    other.drop()
                return False
            jobs.append(job)
            job.add(commands)
            job.commit()
        for job in jobs:
            job.submit()
        now_ns = self._now_ns()
        for queue in submission.parts:
            # Under the lock: kicks of one queue must come in the order of its pointer.
            self.firmware.post(Kick(queue, queue.cpu_wptr.value, now_ns))
        return True

    # Completion.

    def reap(self, slot: int | None = None) -> None:
        """End the jobs that are done, as the stamp of one slot tells, or all of them. Any context; no lock held.

        A slot without an owner tells nothing: the queue was reaped before the notice came.
        """
        with self._lock:
            done = self._reap_locked(self._owners_locked(None if slot is None else [slot]))
            if done:
                self._feed_locked()
        self._completions.signal()
        self._dispose(done)

    def _dispose(self, done: Sequence[Command]) -> None:
        """Have the memory of commands freed, by somebody who is not on the way of a fence."""
        if done:
            self.reaper.post(Garbage(tuple(done)))

    def _reap_locked(self, queues: Iterable[WorkQueue]) -> list[Command]:
        done = [command for queue in queues for command in queue.reap()]
        ended: list[Submission] = []
        for command in done:
            submission = command.submission
            submission.left -= 1
            submission.end_ns = max(submission.end_ns, command.end_ns)
            if not submission.left:
                ended.append(submission)
        self._end_locked(ended)
        return done

    def _end_locked(self, submissions: Iterable[Submission]) -> None:
        """Let jobs end that have not; their fences signal after the lock was dropped."""
        for submission in submissions:
            if submission.ended:
                continue
            submission.ended = True
            if submission in self._held:
                self._held.remove(submission)
            if submission.left:
                submission.end_ns = self._now_ns()
            self._completions.add(submission)

    # The halt cycle.

    def look(self) -> OnHardware:
        """See what a halt has left. What is complete ends first, whether or not the driver was told of it."""
        with self._lock:
            done = self._reap_locked(self._owners_locked())
            halt = self.shared.halt
            assert halt is not None
            found = OnHardware(halt, tuple(self._live_locked()), tuple(self._cut_locked()))
        self._completions.signal()
        self._dispose(done)
        return found

    def mark(self, verdict: Verdict, on_hardware: OnHardware) -> tuple[Submission, ...]:
        """Mark the commands of a halted GPU; returns the jobs that were killed, for `end`."""
        with self._lock:
            return carry_out(verdict, on_hardware)

    def end(self, submissions: Iterable[Submission]) -> None:
        """End jobs that were killed, now that the hardware has let go of them."""
        with self._lock:
            self._end_locked(submissions)
            self._feed_locked()
        self._completions.signal()

    def crash(self) -> None:
        """Give the device up: whatever is not complete ends with -ENODEV. Any context; idempotent."""
        with self._lock:
            self._crashed = True
            self.firmware.power_off()
            done = self._reap_locked(self._owners_locked())
            lost = self._live_locked()
            for submission in lost:
                submission.error = Result.NO_DEVICE.error
            self._end_locked(lost)
        self._completions.signal()
        self._dispose(done)

    def _owners_locked(self, slots: Iterable[int] | None = None) -> list[WorkQueue]:
        """Return who owns these event slots, or any."""
        indices = range(len(self.slots)) if slots is None else slots
        return [owner for index in indices if (owner := self.slots[index].owner) is not None]

    def _cut_locked(self) -> list[Command]:
        """Return the commands that were on the hardware, from the table of pending stamps; each is taken up once."""
        pending, self.shared.pending = self.shared.pending, ()
        cut: list[Command] = []
        for stamp in pending:
            (queue,) = self._owners_locked([stamp.slot])
            cut += [command for command in queue.in_flight if command.value == stamp.value]
        return cut
