"""A message that was sent once, and counted as on its way for ever after."""

from __future__ import annotations

from fencepost.actors import Runtime, StaticMessage
from fencepost.checks import Kind
from fencepost.hw.guc import Guc, GucQueue
from fencepost.hw.guc.suspension import Suspension
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import guc_with

__all__ = ["BUG"]


class StaticMessageAsItWas(StaticMessage):
    """Takes it for enough that it is off the list."""

    def dequeue(self) -> None:
        pass


class SuspensionAsItWas(Suspension):
    def __init__(self, queue: GucQueue) -> None:
        super().__init__(queue)
        self.suspend_message = StaticMessageAsItWas("SUSPEND")


def model(guc: Guc, runtime: Runtime) -> None:
    """Suspend a queue, and again."""
    queue = guc.queue(runtime, "rcs0")
    for _ in range(2):
        queue.suspend().wait()
        queue.resume()


BUG = Bug(
    name="message-stays-queued",
    title=None,
    fix="read in an old version of xe; commit and date not known",
    symptom="who suspends a queue a second time waits for ever",
    interleaving="a message is taken off the list, and its link keeps looking like that of one on it; whoever sends"
    " it again is told that it is on its way",
    repair="initialise the link again when the message is taken off",
    broken=lambda runtime: model(guc_with(suspension=SuspensionAsItWas), runtime),
    fixed=lambda runtime: model(guc_with(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
