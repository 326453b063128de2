"""The mailboxes of actors: what pykka's loop takes from, in both ways of dispatch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pykka

from fencepost.sync import Empty, Mailbox, current

if TYPE_CHECKING:
    from fencepost.actors.actor import Actor

__all__ = ["Drained", "Envelope", "Letter", "SlicedInbox", "ThreadInbox"]


class Answer(Protocol):
    """Who waits for what a handler returns; pykka's futures are such."""

    def set(self, value: Any = None) -> None: ...  # noqa: ANN401 - whatever that is

    def set_exception(self, exc_info: Any = None) -> None: ...  # noqa: ANN401 - as in pykka


class Envelope(Protocol):
    """What lies in an inbox: pykka's own envelopes, and our lighter letters."""

    @property
    def message(self) -> Any: ...  # noqa: ANN401 - any actor's message

    @property
    def reply_to(self) -> Answer | None: ...


class Letter:
    """A message on its way. Lighter than pykka's envelope."""

    __slots__ = ("message", "reply_to")

    def __init__(self, message: object, reply_to: Answer | None = None) -> None:
        self.message = message
        self.reply_to = reply_to


class Drained(BaseException):
    """Raised through pykka's loop when a slice is over. Not an Exception, so that no handler takes it for a failure."""


class ThreadInbox:
    """The inbox of an actor that has a task of its own: taking blocks.

    Life cycle: *open* -> *closed*. What comes to a closed inbox is a dead letter. The sender puts first and then looks
    whether the inbox is closed, and the closer closes first and then empties it, so one of them sees every letter.
    """

    __slots__ = ("_actor", "_mail", "closed", "empty", "get")

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._mail: Mailbox[Envelope] = current().mailbox(f"mail of {actor.name}")
        self.closed = False
        self.empty = self._mail.empty
        self.get = self._mail.get

    def put(self, envelope: Envelope, /) -> None:
        """Take an envelope in. Never blocks; any context."""
        self._mail.put(envelope)
        if self.closed:
            self.bury()

    def post(self, message: object) -> None:
        """Take in a message that nobody waits to have answered. Never blocks; any context."""
        # As `put(Letter(message))`, without the call: this is the way of every message between actors.
        self._mail.put(Letter(message))
        if self.closed:
            self.bury()

    def close(self) -> None:
        """Make dead letters of all there is and all that still comes. By the actor's loop, at its end."""
        self.closed = True
        self.bury()

    def bury(self) -> None:
        """Tell the senders of dead letters."""
        while True:
            try:
                envelope = self._mail.get_nowait()
            except Empty:
                return
            if envelope.reply_to is not None:
                error = pykka.ActorDeadError(f"{self._actor.name} stopped before it handled {envelope.message!r}")
                envelope.reply_to.set_exception((type(error), error, None))
            else:
                self._actor.on_dead_letter(envelope.message)


class SlicedInbox(ThreadInbox):
    """The inbox of an actor that workers carry for a slice at a time: taking never blocks, it ends the slice.

    `_claim` is a lock used as a flag that is tested and set in one step: held from the moment the actor is handed to
    the workers until its slice is over, so that at most one worker carries it. It is held from the beginning, so that
    a letter to an actor that is still being made hands it to nobody: the dispatch does, at the start. Nobody waits.

    Attributes:
        left: how many more letters may be taken in this slice. The worker that carries the actor sets it.
    """

    __slots__ = ("_claim", "_runnable", "left")

    def __init__(self, actor: Actor, runnable: Mailbox[Actor | None]) -> None:
        super().__init__(actor)
        self._runnable = runnable
        self._claim = current().lock()
        self._claim.acquire(False)  # noqa: FBT003 - positional in the protocol
        self.left = 0
        self.get = self._get

    def put(self, envelope: Envelope, /) -> None:
        self._mail.put(envelope)
        if self._claim.acquire(False):  # noqa: FBT003 - positional in the protocol
            self._runnable.put(self._actor)
        if self.closed:
            self.bury()

    def post(self, message: object) -> None:
        self._mail.put(Letter(message))
        if self._claim.acquire(False):  # noqa: FBT003 - positional in the protocol
            self._runnable.put(self._actor)
        if self.closed:
            self.bury()

    def hand_over(self) -> None:
        """Have a worker carry the actor, unless one is about to. Any context."""
        if self._claim.acquire(False):  # noqa: FBT003 - positional in the protocol
            self._runnable.put(self._actor)

    def end_slice(self) -> None:
        """Give the claim back, and claim again if there is mail: a sender that came before saw the claim taken."""
        self._claim.release()
        if not self._mail.empty():
            self.hand_over()

    def _get(self) -> Envelope:
        if self.left and not self._mail.empty():
            self.left -= 1
            return self._mail.get()
        raise Drained
