"""A work queue: the ring of commands between the driver and one kind of engine."""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Iterable
from typing import Final

from fencepost.errors import WrongState
from fencepost.hw.agx.command import Command, Kind
from fencepost.hw.agx.event_slots import EventSlot, EventSlots, advanced, passed
from fencepost.hw.agx.word import Word
from fencepost.sync.tracking import tracked

__all__ = ["MAX_IN_FLIGHT", "RING_SIZE", "OpenJob", "WorkQueue"]

RING_SIZE: Final = 0x500
MAX_IN_FLIGHT: Final = 127


@tracked("cpu_freeptr", "gpu_seen", "slot", "value")
class WorkQueue:
    """A ring of commands, and the place that each has in the order of stamps.

    Life cycle, again and again: *idle* -> *active* (a job is open or a command in flight: it owns an event slot).

    `gpu_doneptr` and the fields below it belong to the firmware, all others to the driver. Each brings a lock.
    (asahi: workqueue)

    Args:
        kind: what it takes.
        priority: against other work queues of the kind; the lower number is the more important one.
        slots: where it gets an event slot from.
        size: of the ring; one entry stays empty.
        max_in_flight: how many stamp values can be told apart.

    Attributes:
        slot: its event slot while it is active.
        value: the stamp of the last command that was committed.
        in_flight: the commands that were submitted and not reaped, oldest first.
        cpu_wptr: where the driver writes the next command.
        cpu_freeptr: up to where the driver has reaped.
        gpu_doneptr: up to where the firmware is done.
        gpu_seen: up to where it was told of commands.
    """

    def __init__(
        self,
        kind: Kind,
        priority: int,
        slots: EventSlots,
        *,
        size: int = RING_SIZE,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self.kind = kind
        self.priority = priority
        self.size = size
        self.max_in_flight = max_in_flight
        self.slot: EventSlot | None = None
        self.value: int = 0
        self.in_flight: deque[Command] = deque()
        self.cpu_wptr = Word()
        self.cpu_freeptr = 0
        self.ring: list[Command | None] = [None] * size
        self._slots = slots
        self._open_jobs = 0
        # How many commands are committed and not reaped; how many jobs were committed, and how many submitted.
        self._committed: int = 0
        self._commits: int = 0
        self._submits: int = 0
        self.gpu_doneptr = Word()
        self.gpu_seen = 0

    # The driver's side.

    @property
    def most_at_once(self) -> int:
        """How many commands a job may have at most: more could never be submitted."""
        return min(self.max_in_flight, self.size - 1) - 1

    def open(self, count: int) -> OpenJob | None:
        """Begin a job of `count` commands; None when there is no room for them now, or no event slot."""
        if self._committed + count > self.most_at_once:
            return None
        if self.slot is None:
            self.slot = self._slots.take(self)
            if self.slot is None:
                return None
            self.value = self.slot.stamp.value
        self._open_jobs += 1
        return OpenJob(self)

    def commit(self, job: OpenJob) -> None:
        """Fix the place of a job. See `OpenJob.commit`."""
        if self.value != job.start:
            raise OSError(errno.EINVAL, f"{self!r}: another job was committed since this one was opened")
        self.value = job.value
        self._committed += len(job.commands)
        self._commits += 1
        job.number = self._commits

    def publish(self, job: OpenJob) -> None:
        """Write a committed job into the ring. See `OpenJob.submit`."""
        if job.number != self._submits + 1:
            raise OSError(errno.EINVAL, f"{self!r}: a job that was committed earlier is still to be submitted")
        self._submits += 1
        wptr = self.cpu_wptr.value
        for command in job.commands:
            self.ring[wptr] = command
            wptr = (wptr + 1) % self.size
        self.in_flight.extend(job.commands)
        # The commands first: who sees the pointer sees them.
        self.cpu_wptr.value = wptr
        self._open_jobs -= 1

    def roll_back(self, job: OpenJob) -> None:
        """Forget a job that was not submitted. See `OpenJob.drop`."""
        if job.number is not None:
            if job.number != self._commits:
                raise WrongState(f"{self!r}: only the job that was committed last can be dropped")
            self._commits -= 1
            self._committed -= len(job.commands)
            self.value = job.start
        self._open_jobs -= 1
        self._rest()

    def reap(self) -> list[Command]:
        """Take out the commands that are done, as far as the stamp tells; an idle queue gives its slot back."""
        done: list[Command] = []
        if self.slot is not None:
            stamp = self.slot.stamp.value
            while self.in_flight and passed(stamp, self.in_flight[0].value):
                done.append(self.in_flight.popleft())
                self.ring[self.cpu_freeptr] = None
                self.cpu_freeptr = (self.cpu_freeptr + 1) % self.size
            self._committed -= len(done)
            self._rest()
        return done

    def _rest(self) -> None:
        """Give the event slot back if nothing is open or in flight."""
        if self.slot is not None and not self._open_jobs and not self.in_flight:
            self._slots.give_back(self.slot)
            self.slot = None

    # The firmware's side.

    @property
    def waiting(self) -> bool:
        """Whether the firmware knows of a command that is not done."""
        return self.gpu_doneptr.value != self.gpu_seen

    @property
    def head(self) -> Command:
        """The oldest command that is not done."""
        command = self.ring[self.gpu_doneptr.value]
        assert command is not None
        assert not command.freed
        return command

    def retire(self, end_ns: int) -> EventSlot:
        """Be done with the oldest command: the pointer first, then the stamp, which tells the driver."""
        command, slot = self.head, self.slot
        assert slot is not None
        command.end_ns = end_ns
        command.done = True
        self.gpu_doneptr.value = (self.gpu_doneptr.value + 1) % self.size
        slot.stamp.value = advanced(slot.stamp.value)
        return slot

    def __repr__(self) -> str:
        return f"<{self.kind.value} queue, {len(self.in_flight)} in flight>"


class OpenJob:
    """The commands of a job for one work queue, on their way into its ring.

    Life cycle: *open* -> *committed* (its stamp values are fixed) -> *submitted*; before that it may be *dropped*.
    Jobs are committed in one order and submitted in the same.

    Attributes:
        start, value: the stamp values before and after it.
        number: its place in the order of commits, None before.
    """

    def __init__(self, queue: WorkQueue) -> None:
        self._queue = queue
        self.start: int = queue.value
        self.value: int = queue.value
        self.commands: list[Command] = []
        self.number: int | None = None

    def add(self, commands: Iterable[Command]) -> None:
        """Give commands their stamp values."""
        for command in commands:
            self.value = command.value = advanced(self.value)
            self.commands.append(command)

    def commit(self) -> None:
        """Fix its place; raises OSError(EINVAL) when another job was committed since it was opened."""
        self._queue.commit(self)

    def submit(self) -> None:
        """Let the firmware see it; raises OSError(EINVAL) while one that was committed earlier is not submitted."""
        self._queue.publish(self)

    def drop(self) -> None:
        """Forget it, before it is submitted; raises WrongState when one was committed after it."""
        self._queue.roll_back(self)
