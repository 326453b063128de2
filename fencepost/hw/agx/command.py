"""Commands: what a job has for the engines of the GPU."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fencepost.actors import Job
from fencepost.sync.tracking import tracked

if TYPE_CHECKING:
    from fencepost.hw.agx.submission import Submission
    from fencepost.hw.agx.work_queue import WorkQueue

__all__ = ["Command", "Commands", "Kind", "durations_us"]


class Kind(enum.Enum):
    """A kind of command: each has an engine, and a work queue in each user queue that may use it."""

    VERTEX = "vertex"
    FRAGMENT = "fragment"
    COMPUTE = "compute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """The `work` of a job that has not one command of each kind of its queue: `work=Commands(compute_us=(5, 5))`.

    Fragment commands wait for the vertex commands of their job.

    Args:
        vertex_us: how long each vertex command executes, in order; None for one that hangs.
        fragment_us: the same for fragment commands.
        compute_us: the same for compute commands.

    Raises:
        ValueError: for no command at all, or a negative duration.
    """

    vertex_us: tuple[float | None, ...] = ()
    fragment_us: tuple[float | None, ...] = ()
    compute_us: tuple[float | None, ...] = ()

    def __post_init__(self) -> None:
        every = (*self.vertex_us, *self.fragment_us, *self.compute_us)
        if not every:
            raise ValueError("a job without commands, expected at least one")
        for duration_us in every:
            if duration_us is not None and not duration_us >= 0:
                raise ValueError(f"a command of {duration_us} us, expected 0 or more, or None for one that hangs")

    def of(self, kind: Kind) -> tuple[float | None, ...]:
        """Return the durations of one kind."""
        return {Kind.VERTEX: self.vertex_us, Kind.FRAGMENT: self.fragment_us, Kind.COMPUTE: self.compute_us}[kind]


@tracked("done", "end_ns", "freed", "restart", "skip", "start_ns")
class Command:
    """One entry of a work queue, in memory that driver and firmware share.

    Life cycle: *queued* -> *running* (once more after a `restart`) -> *done* (its stamp was written; it may have been
    abandoned or skipped) -> *freed*. The driver writes `skip` and `restart` only while the firmware is halted.

    Attributes:
        submission: what it belongs to.
        queue: the work queue that it goes through.
        after: what must be done before it starts, besides all before it in its queue.
        left_ns: how long it executes; None for ever.
        value: what the stamp of its work queue will be when it is done.
        skip: do not execute it.
        restart: it was cut off, and is to be executed again from its beginning.
        start_ns: when it last began to execute, in hardware time.
        end_ns: when it was done.
        done: the firmware has no more use for it.
        freed: its memory may be anything by now.
    """

    __slots__ = (
        "after",
        "done",
        "end_ns",
        "freed",
        "left_ns",
        "observed_",
        "queue",
        "restart",
        "skip",
        "start_ns",
        "submission",
        "value",
    )

    def __init__(
        self, submission: Submission, queue: WorkQueue, duration_us: float | None, after: Command | None
    ) -> None:
        self.submission = submission
        self.queue = queue
        self.after = after
        self.left_ns = None if duration_us is None else round(duration_us * 1000)
        self.value = 0
        self.skip = self.restart = self.done = self.freed = False
        self.start_ns: int | None = None
        self.end_ns = 0

    def __repr__(self) -> str:
        return f"<{self.queue.kind.value} command of {self.submission!r}>"


def durations_us(job: Job, kinds: tuple[Kind, ...]) -> Mapping[Kind, tuple[float | None, ...]]:
    """Return what a job has for each kind: without `Commands` one command each, which share its duration."""
    if isinstance(job.work, Commands):
        return {kind: durations for kind in Kind if (durations := job.work.of(kind))}
    share_us = None if job.duration_us is None else job.duration_us / len(kinds)
    return dict.fromkeys(kinds, (share_us,))
