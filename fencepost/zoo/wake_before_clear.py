"""A handler that woke its waiters before it changed what they wait for."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell
from fencepost.zoo.wait_queue import WaitQueue

__all__ = ["BUG"]


class Queue:
    """A firmware queue that is being disabled."""

    def __init__(self) -> None:
        self.disable_pending = Cell("PENDING_DISABLE", value=True)
        self.waiters = WaitQueue("the queue's waiters")

    def disabled(self) -> None:
        """Handle the firmware's word that the queue is off its schedule."""
        self.disable_pending.store(value=False)
        self.waiters.wake_all()

    def wait_until_disabled(self) -> None:
        """Block until the firmware has said so."""
        self.waiters.wait(lambda: not self.disable_pending.load())


class QueueAsItWas(Queue):
    """Wakes, then clears."""

    def disabled(self) -> None:
        self.waiters.wake_all()
        self.disable_pending.store(value=False)


def model(queue: Queue, runtime: Runtime) -> None:
    """Wait for a disable that the firmware acknowledges."""
    runtime.spawn(queue.wait_until_disabled, "waiter")
    runtime.spawn(queue.disabled, "handler")


BUG = Bug(
    name="wake-before-clear",
    title=None,
    fix="none known: read in the xe driver as of late 2025, a finding of this project, not confirmed on hardware",
    symptom="a waiter stalls until its limit of 5 s; here there is none, so for ever",
    interleaving="the handler wakes the waiter; that looks at the bit, finds it set, and sleeps again; the handler"
    " clears the bit, and there is no second wake",
    repair="change the state of a queue first, then wake who waits for it",
    broken=lambda runtime: model(QueueAsItWas(), runtime),
    fixed=lambda runtime: model(Queue(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
