"""A flush that waited for a worker which had been stopped.

A model of the kernel's flush and fini as they were mended in 2021. Later the rule became that entities end before
their scheduler, which is ours too.
"""

from __future__ import annotations

from typing import ClassVar

from fencepost.actors import Actor, Runtime
from fencepost.actors.dispatch import Dispatch
from fencepost.actors.messages import Wake
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell, Counter
from fencepost.zoo.wait_queue import WaitQueue

__all__ = ["BUG"]


class Scheduler(Actor):
    """Runs, when woken, the jobs of one entity, of which it knows the number, until it is stopped."""

    def __init__(self, dispatch: Dispatch, name: str) -> None:
        super().__init__(dispatch, name)
        self._stopped = Cell("stopped", value=False)
        self._entity_stopped = Cell("entity stopped", value=False)
        self._queued = Counter("queued jobs", 0)
        self._job_scheduled = WaitQueue("job_scheduled")

    def on_wake(self, _message: Wake) -> None:
        if not self._stopped.load():
            self._queued.store(0)
            self._job_scheduled.wake_all()

    messages: ClassVar = {Wake: on_wake}

    def push(self) -> None:
        self._queued.add(1)
        self.post(Wake())

    def idle(self) -> bool:
        return self._queued.load() == 0 or self._entity_stopped.load()

    def flush(self) -> None:
        """Block until the entity is idle."""
        self._job_scheduled.wait(self.idle)

    def fini(self) -> None:
        self._stopped.store(value=True)
        self.release_flush()

    def release_flush(self) -> None:
        """Let go who waits for jobs that will not run."""
        self._entity_stopped.store(value=True)
        self._job_scheduled.wake_all()


class SchedulerAsItWas(Scheduler):
    """Leaves the entity, and who waits for it, alone."""

    def release_flush(self) -> None:
        pass


def model(scheduler_class: type[Scheduler], runtime: Runtime) -> None:
    """Remove the device while a client pushes a job and flushes."""
    scheduler = runtime.start(scheduler_class, name="ring")
    runtime.spawn(scheduler.fini, "removal")
    scheduler.push()
    scheduler.flush()


BUG = Bug(
    name="flush-after-stop",
    title="drm/scheduler: Fix hang when sched_entity released",
    fix="c61cdbdbffc1, May 2021",
    symptom="a flush never returns when the device is removed",
    interleaving="a job is pushed; the removal stops the worker before that gets to it; the flush finds the queue not"
    " empty and waits for the worker",
    repair="take a stopped entity for idle, and wake whoever waits for it",
    broken=lambda runtime: model(SchedulerAsItWas, runtime),
    fixed=lambda runtime: model(Scheduler, runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
