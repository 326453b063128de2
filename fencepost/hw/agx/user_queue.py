"""A user queue: the backend of one scheduler, with a work queue for each kind of command it takes."""

from __future__ import annotations

import errno

from fencepost.actors import Job, Recovery
from fencepost.actors.recovery import StatusSteps
from fencepost.errors import WrongState
from fencepost.events import EventRing
from fencepost.fences import Fence, context_alloc
from fencepost.hw.agx.command import Kind, durations_us
from fencepost.hw.agx.driver import Driver
from fencepost.hw.agx.halt_cycle import HaltCycle
from fencepost.hw.agx.submission import Submission
from fencepost.hw.agx.work_queue import WorkQueue
from fencepost.sync import World

__all__ = ["UserQueue"]


class UserQueue:
    """Gives jobs to the firmware, through up to three work queues. Made by `Agx.scheduler`.

    Jobs that have a kind of command in common end in the order they were submitted. (asahi: queue)

    Attributes:
        context: fence context of its hardware fences.
        queues: its work queues.
    """

    def __init__(self, driver: Driver, halt_cycle: HaltCycle, queues: dict[Kind, WorkQueue]) -> None:
        self.context = context_alloc()
        self.queues = queues
        self._driver = driver
        self._halt_cycle = halt_cycle
        self._submitted = 0
        self._name: str | None = None

    def attach(self, world: World, ring: str, events: EventRing | None) -> None:  # noqa: ARG002 - the contract's
        if self._name is not None:
            raise WrongState(f"{self._name}: a user queue serves one scheduler, and this one has one")
        self._name = ring

    def run_job(self, job: Job) -> Fence:
        durations = durations_us(job, tuple(self.queues))
        if not durations.keys() <= self.queues.keys():
            kinds = ", ".join(kind.value for kind in durations if kind not in self.queues)
            raise OSError(errno.EINVAL, f"{job!r} has {kinds} commands, {self!r} takes none")
        self._submitted += 1
        fence = Fence(self.context, self._submitted, name=f"{self._name} hardware")
        self._driver.submit(Submission(job, fence, self.queues, durations))
        return fence

    def timedout_job(self, job: Job, recovery: Recovery) -> StatusSteps:
        """Halt the GPU if the job has had its time there, and recover it."""
        assert recovery.scheduler is not None
        return self._halt_cycle.recover_job(job, recovery.scheduler.timeout_s or 0.0, recovery)

    def cancel_job(self, job: Job) -> None:
        self._driver.cancel(job, -errno.ECANCELED)

    def free_job(self, job: Job) -> None:
        self._driver.forget(job)

    def __repr__(self) -> str:
        return f"<UserQueue {self._name or 'new'}: {', '.join(kind.value for kind in self.queues)}>"
