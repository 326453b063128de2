"""The messages of a backend, processed in band with its jobs."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from fencepost.actors.backend import Backend, MessageProcessor
from fencepost.actors.messages import Send
from fencepost.actors.procedure import Procedure
from fencepost.actors.static_message import StaticMessage

if TYPE_CHECKING:
    from fencepost.actors.actor import Actor

__all__ = ["InBand"]


class InBand:
    """Processes messages one at a time, so that they never coincide with running or freeing a job.

    Belongs to the actor of a scheduler.

    Attributes:
        busy: whether one is being processed, and waits for something.
    """

    __slots__ = ("_actor", "_backend", "_messages", "_procedure", "busy")

    def __init__(self, actor: Actor, backend: Backend) -> None:
        self._actor = actor
        self._backend = backend
        self._messages: deque[object] = deque()
        self._procedure: Procedure[None] | None = None
        self.busy = False

    @property
    def ready(self) -> bool:
        """Whether `process` would find something to do."""
        return bool(self._messages) and not self.busy

    def add(self, sent: Send) -> None:
        """Take a message in: at the end, or before all others."""
        if sent.first:
            self._messages.appendleft(sent.message)
        else:
            self._messages.append(sent.message)

    def process(self) -> None:
        """Process the next message, if there is one and none is being processed."""
        if not self.ready:
            return
        message = self._messages.popleft()
        if isinstance(message, StaticMessage):
            # First: what is sent from now on asks for something that this processing may not see.
            message.dequeue()
        assert isinstance(self._backend, MessageProcessor)
        steps = self._backend.process_message(message)
        if steps is not None:
            self.busy = True
            self._procedure = procedure = Procedure(self._actor, steps, self._end)
            procedure.start()

    def close(self) -> None:
        """Give up what is being processed, and drop the rest."""
        procedure, self._procedure = self._procedure, None
        self.busy = False
        messages, self._messages = self._messages, deque()
        for message in messages:
            if isinstance(message, StaticMessage):
                message.drop()
        if procedure is not None:
            procedure.close()

    def _end(self, _result: None) -> None:
        self.busy = False
        self._procedure = None
