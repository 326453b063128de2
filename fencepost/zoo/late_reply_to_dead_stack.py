"""A reply that came when the sender's time was up, and was written where the sender had stood."""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current, deadline_ns
from fencepost.zoo.bug import Bug
from fencepost.zoo.refcount import Counted

__all__ = ["BUG"]

SEQNO: Final = 7
TIMEOUT_S: Final = 1.0


class Reply(Counted):
    """A place for a reply, on the sender's stack."""

    def __init__(self) -> None:
        super().__init__("reply")
        self.came = current().waiter()

    def fill(self) -> None:
        """Write the reply, and wake the sender."""
        self.touch()
        self.came.wake()


class Channel:
    """Requests to the firmware, and who waits for which reply. `_lock` protects the table and all replies in it."""

    def __init__(self) -> None:
        self._lock = current().lock()
        self._waiting: dict[int, Reply] = {}

    def ask(self) -> None:
        """Send a request; block until the reply or for TIMEOUT_S."""
        reply = Reply()
        with self._lock:
            self._waiting[SEQNO] = reply
        reply.came.wait(deadline_ns(TIMEOUT_S), reply)
        with self._lock:
            self._waiting.pop(SEQNO, None)
        reply.put()

    def receive(self) -> None:
        """Handle a reply."""
        with self._lock:
            reply = self._waiting.pop(SEQNO, None)
            if reply is not None:
                reply.fill()


class ChannelAsItWas(Channel):
    """Has the lock for the look-up only."""

    def receive(self) -> None:
        with self._lock:
            reply = self._waiting.pop(SEQNO, None)
        if reply is not None:
            reply.fill()


def model(channel: Channel, runtime: Runtime) -> None:
    """Ask a firmware that answers just when the time is up."""

    def answer() -> None:
        current().sleep(TIMEOUT_S)
        channel.receive()

    runtime.spawn(answer, "firmware")
    channel.ask()


BUG = Bug(
    name="late-reply-to-dead-stack",
    title=None,
    fix="a comment in the command channel of the xe driver; commit and date not known",
    symptom="a late reply overwrites the stack of whoever stands there now",
    interleaving="the reply comes and its handler finds the sender's place in the table; the sender's time is up, it"
    " finds nothing to take out of the table, and returns; the handler writes",
    repair="look up, fill and forget the place of a reply under one lock",
    broken=lambda runtime: model(ChannelAsItWas(), runtime),
    fixed=lambda runtime: model(Channel(), runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
