"""What a scheduler needs from the hardware below it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from fencepost.actors.job import Job
from fencepost.actors.procedure import Steps
from fencepost.events import EventRing
from fencepost.fences import Fence
from fencepost.sync import World

__all__ = ["Backend", "JobChecker", "MessageProcessor", "OfEngine", "Preparer", "engine_class_of"]


class Backend(Protocol):
    """The operations of one hardware queue, as a driver gives them to its scheduler.

    (kernel: drm_sched_backend_ops)

    The scheduler calls `run_job`, `cancel_job` and `free_job` from its actor, one at a time. None of them may block
    or raise anything but what is said here. Fences it hands out may be signalled from any context.

    With `Recoverable` its scheduler can have a time-out, with `MessageProcessor` messages of its own. With `Preparer`
    its jobs wait until there is what they need, with `JobChecker` it refuses those that could never have it.
    """

    def attach(self, world: World, ring: str, events: EventRing | None) -> None:
        """Get to know where it runs: once, before anything else, from the client that makes the scheduler.

        Args:
            world: gives the clock, the timers and the locks.
            ring: the scheduler's name, which the hardware queue shares.
            events: where to record what the hardware does, or None.
        """
        ...

    def run_job(self, job: Job) -> Fence | None:
        """Give a job to the hardware; its dependencies are met and its credits are taken.

        Returns:
            The hardware fence, which signals when the job is complete; None says that it is complete already.

        Raises:
            OSError: the job cannot be run; it is done with this errno.
        """
        ...

    def cancel_job(self, job: Job) -> None:
        """Take a job back at teardown: before this returns, its hardware fence has signalled, with an error if pending.

        Called for each pending job, newest first, also for those that are complete but not freed. (kernel: cancel_job)
        """
        ...

    def free_job(self, job: Job) -> None:
        """Forget a job; nobody will ask about it again. Called once for each, in the order they ran."""
        ...


@runtime_checkable
class Preparer(Protocol):
    """What a backend has besides, whose jobs need more than credits and dependencies to run. See `Resources`."""

    def prepare_job(self, job: Job) -> Fence | None:
        """Take what a job needs, or return a fence at whose signal this is to be called again.

        Called when all that the job depends on is met and the job before it was handed over, from the actor of the
        entity; so at the same time for jobs of different entities. Must neither block nor raise. It keeps what it has
        taken when it is called again. The fence must come to signal without anything more from this job, and not before
        what it stands for is free. Not called for a job that was killed: what such a job has must be given back all the
        same, and it may have nothing. (kernel: prepare_job)
        """
        ...


@runtime_checkable
class JobChecker(Protocol):
    """What a backend has besides, that knows at submission that a job could never run."""

    def check_job(self, job: Job) -> None:
        """Refuse a job. Called at the arm, by the client, under the entity's lock; must not block.

        Raises:
            OSError: EINVAL, say, for a job that needs more than there is.
        """
        ...


@runtime_checkable
class MessageProcessor(Protocol):
    """What a backend has to have besides, to be sent messages by `Scheduler.send`.

    (kernel: the message interface of xe_gpu_scheduler)
    """

    def process_message(self, message: object) -> Steps[None] | None:
        """Do what a message says, one that the backend itself defines.

        Called from the scheduler's actor, never at the same time as `run_job` or `free_job`, nor while a timeout
        handler has the scheduler stopped. Whoever has to wait returns steps: until they have ended no job runs or is
        freed, and no other message is processed.
        """
        ...


@runtime_checkable
class OfEngine(Protocol):
    """What a backend has besides, whose scheduler may be called otherwise than its engine."""

    @property
    def engine_class(self) -> str:
        """What kind of engine executes its jobs, such as `rcs`."""
        ...


def engine_class_of(engine: str) -> str:
    """Return the class of an engine by its name: `vcs` for `vcs1`."""
    return engine.rstrip("0123456789") or engine
