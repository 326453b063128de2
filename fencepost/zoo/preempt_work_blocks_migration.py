"""A worker that slept until something had happened which only that worker could do.

The product has no preemption workers yet; the model is a work queue with one worker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Gate, Mailbox, current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

RETRY_S: Final = 0.001


class Worker:
    """Does the work of preemption and of migration, one piece at a time."""

    def __init__(self) -> None:
        self.work: Mailbox[Callable[[], object]] = current().mailbox("work")
        self.resumed = Gate("migration")
        self.preempted = Gate("preemption")

    def run(self) -> None:
        """Work until the preemption is done."""
        while not self.preempted.is_open:
            self.work.get()()

    def preempt(self) -> None:
        """Suspend a queue, which takes until no migration is going on."""
        if self.ready():
            self.preempted.open()
        else:
            self.work.put(self.preempt)

    def ready(self) -> bool:
        """Say whether the queue can be suspended; may wait a little."""
        return self.resumed.wait(RETRY_S)


class WorkerAsItWas(Worker):
    """Waits as long as it takes."""

    def ready(self) -> bool:
        return self.resumed.wait()


def model(worker: Worker, runtime: Runtime) -> None:
    """Have a queue preempted while a migration ends."""
    runtime.spawn(worker.run, "worker")
    runtime.spawn(lambda: worker.work.put(worker.resumed.open), "migration")
    worker.work.put(worker.preempt)


BUG = Bug(
    name="preempt-work-blocks-migration",
    title=None,
    fix="a4dae94aad6a (xe), date and title not known",
    symptom="a migration never ends",
    interleaving="the worker begins a preemption and waits in it for the end of the migration; the migration hands the"
    " work that ends it to the same worker",
    repair="give way and come back, where a migration is going on",
    broken=lambda runtime: model(WorkerAsItWas(), runtime),
    fixed=lambda runtime: model(Worker(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
