"""A handler that cleared one bit, then looked at another to learn what the first had been about.

The product has no firmware queues yet; the model has the two bits and the two messages.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell
from fencepost.zoo.wait_queue import WaitQueue

__all__ = ["BUG"]

REPLIES: Final = 2
"""To the disable that is under way, and to that of the destruction."""


class Queue:
    """A queue that is being disabled, and is to be destroyed."""

    def __init__(self) -> None:
        self.disable_pending = Cell("PENDING_DISABLE", value=True)
        self.destroyed = Cell("DESTROYED", value=False)
        self.replies = current().mailbox("replies")
        self.replies.put("disabled")
        self._deregistered = 0
        self._waiters = WaitQueue("the queue's waiters")

    def destroy(self) -> None:
        """Disable it, at whose end it is deregistered; waits until no other disable is pending."""
        self._waiters.wait(lambda: not self.disable_pending.load())
        self.destroyed.store(value=True)
        self.disable_pending.store(value=True)
        self.replies.put("disabled")

    def handle_reply(self) -> None:
        """Handle the end of a disable."""
        destroyed = self.destroyed.load()
        self.clear_pending()
        if destroyed:
            self.deregister()

    def clear_pending(self) -> None:
        """Let the next disable begin."""
        self.disable_pending.store(value=False)
        self._waiters.wake_all()

    def deregister(self) -> None:
        """Tell the firmware to forget the queue."""
        self._deregistered += 1
        assert self._deregistered == 1, "the queue was deregistered before its own disable was done, and again then"


class QueueAsItWas(Queue):
    """Clears, then looks."""

    def handle_reply(self) -> None:
        self.clear_pending()
        if self.destroyed.load():
            self.deregister()


def model(queue: Queue, runtime: Runtime) -> None:
    """Destroy a queue while it is being disabled for another reason."""

    def handle() -> None:
        for _ in range(REPLIES):
            queue.replies.get()
            queue.handle_reply()

    runtime.spawn(handle, "handler")
    runtime.spawn(queue.destroy, "destroyer")


BUG = Bug(
    name="destroyed-sampled-after-clear",
    title=None,
    fix="a comment in the xe driver; commit and date not known",
    symptom="the firmware is told twice to forget a queue, the first time while it is still on the schedule",
    interleaving="the handler of a plain disable clears its bit; the destroyer, which waited for that, marks the queue"
    " destroyed and starts a disable of its own; the handler sees the mark, and takes its reply for that of the"
    " destroyer",
    repair="look at the one bit before the other is cleared",
    broken=lambda runtime: model(QueueAsItWas(), runtime),
    fixed=lambda runtime: model(Queue(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
