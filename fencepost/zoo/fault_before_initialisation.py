"""An interrupt that asked for a recovery, of a scheduler that was never set up."""

from __future__ import annotations

from collections.abc import Callable

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Mailbox, current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]


class Scheduler:
    """A scheduler in memory that is there before it is set up."""

    def __init__(self) -> None:
        self.ready = Cell("ready", value=False)
        self._timeout_queue: Cell[Mailbox[Callable[[], object]] | None] = Cell("time-out queue", None)

    def start_ring(self) -> None:
        """Note that the ring answers, whether or not anybody schedules on it. The ring's code."""
        self.ready.store(value=True)

    def set_up(self) -> None:
        self._timeout_queue.store(current().mailbox("time-outs"))

    def fault(self) -> None:
        """Have a recovery carried out. Irq context."""
        queue = self._timeout_queue.load()
        if queue is not None:
            queue.put(self.set_up)


class SchedulerAsItWas(Scheduler):
    """Trusts a flag that others set for reasons of their own."""

    def fault(self) -> None:
        if self.ready.load():
            queue = self._timeout_queue.load()
            assert queue is not None, "a null pointer is dereferenced in an interrupt"
            queue.put(self.set_up)


def model(scheduler: Scheduler, runtime: Runtime) -> None:
    """Let an interrupt come while a driver is loaded."""
    runtime.spawn(scheduler.fault, "irq")
    scheduler.start_ring()
    scheduler.set_up()


BUG = Bug(
    name="fault-before-initialisation",
    title="drm/sched: Check scheduler work queue before calling timeout handling",
    fix="2da5bffe9eaa, May 2023, CVE-2023-53351; an earlier try was 0c8c901aaaeb",
    symptom="a null pointer is dereferenced in the interrupt of a fault",
    interleaving="the ring is started and sets the scheduler ready; a fault comes; the scheduler has no queue for"
    " time-outs yet, and may never have one",
    repair="look at what is going to be used: the queue",
    broken=lambda runtime: model(SchedulerAsItWas(), runtime),
    fixed=lambda runtime: model(Scheduler(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
