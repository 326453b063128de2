"""A job as the driver knows it, from the moment it was given to it until its hardware fence signals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fencepost.actors import Job
from fencepost.fences import Fence
from fencepost.hw.agx.command import Command, Kind
from fencepost.hw.agx.work_queue import WorkQueue

__all__ = ["Submission"]


class Submission:
    """The commands of a job, at most one list for each work queue.

    Life cycle: *held* (its work queues have no room for all of it) -> *in flight* -> *ended*. One that is killed or
    cancelled ends earlier than its commands, which the firmware skips when it comes to them.

    Attributes:
        job: whose they are; it may be freed when this has ended, before the firmware is done with all commands.
        client, vm, queue, seqno: of the job: whom it works for, its address space, its queue and its place there.
        fence: the hardware fence.
        parts: the commands, by work queue.
        left: how many commands are not reaped.
        error: 0, or what it ends with.
        end_ns: when the last command that was reaped was done.
        ended: its fence signals, or has.
    """

    __slots__ = (
        "client",
        "end_ns",
        "ended",
        "error",
        "fence",
        "job",
        "left",
        "parts",
        "queue",
        "seqno",
        "vm",
    )

    def __init__(
        self,
        job: Job,
        fence: Fence,
        queues: Mapping[Kind, WorkQueue],
        durations_us: Mapping[Kind, Iterable[float | None]],
    ) -> None:
        self.job = job
        self.client = job.entity.client
        self.vm = job.queue.vm
        self.queue = job.queue.context
        self.seqno = job.finished.seqno
        self.fence = fence
        self.parts: dict[WorkQueue, tuple[Command, ...]] = {}
        after: Command | None = None
        for kind, durations in durations_us.items():
            queue = queues[kind]
            barrier = after if kind is Kind.FRAGMENT else None
            self.parts[queue] = commands = tuple(Command(self, queue, each, barrier) for each in durations)
            after = commands[-1]
        self.left = sum(map(len, self.parts.values()))
        self.error = 0
        self.end_ns = 0
        self.ended = False

    @property
    def commands(self) -> tuple[Command, ...]:
        """All its commands."""
        return tuple(command for commands in self.parts.values() for command in commands)

    @property
    def started(self) -> bool:
        """Whether some of it was executed. While the firmware is halted only, since that writes it."""
        return any(command.start_ns is not None for command in self.commands)

    def kill(self, error: int) -> None:
        """Have the firmware execute nothing more of it. While that is halted only."""
        self.error = error
        for command in self.commands:
            command.skip = True

    def signal(self) -> None:
        """Signal its fence, now that it has ended. Idempotent; any context; no lock may be held."""
        self.fence.signal(self.error, timestamp_ns=self.end_ns)

    def __repr__(self) -> str:
        return f"<Submission {self.queue}:{self.seqno}{' ended' if self.ended else ''}>"
