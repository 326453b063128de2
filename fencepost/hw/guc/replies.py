"""Who handles what the firmware says, beside the queues' own actors: bits change under these at any moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from fencepost.actors import Actor
from fencepost.actors.dispatch import Dispatch
from fencepost.events import EventRing
from fencepost.events.kinds import FIRMWARE_MESSAGE
from fencepost.hw.guc.messages import (
    CatError,
    ContextReset,
    DeregisterDone,
    EngineFailure,
    FromFirmware,
    ScheduleDone,
    TlbDone,
    guc_id_of,
)
from fencepost.sync import current

if TYPE_CHECKING:
    from fencepost.hw.guc.driver_context import DriverContext
    from fencepost.hw.guc.guc import Guc

__all__ = ["Replies"]


class Replies(Actor):
    """Hands each message to the queue that it is for, if that expects it. Others are protocol errors, and do nothing.

    It never waits for room in the channel: what it sends has its room reserved since the request.

    Attributes:
        protocol_errors: what came and must not have, in words.
    """

    signals: ClassVar = True

    def __init__(self, dispatch: Dispatch, name: str, guc: Guc, events: EventRing | None) -> None:
        super().__init__(dispatch, name)
        self.protocol_errors: list[str] = []
        self._guc = guc
        self._record = None if events is None else events.record

    def on_scheduled(self, message: ScheduleDone) -> None:
        """A context was enabled or disabled."""
        self._note(message)
        self._guc.channel.replied(message)
        self._hand(message, lambda context, of: context.on_schedule_done(of, enabled=message.enabled))

    def on_deregistered(self, message: DeregisterDone) -> None:
        """The firmware has forgotten a context."""
        self._note(message)
        self._guc.channel.replied(message)
        self._hand(message, lambda context, of: context.on_deregister_done(of))

    def on_tlb_done(self, message: TlbDone) -> None:
        """Translations were invalidated; whoever asked may have given up meanwhile."""
        self._note(message)
        self._guc.channel.replied(message)
        if not self._guc.requests.answer(message.seqno):
            self._reject(message, "nobody waits for it any more")

    def on_reset(self, message: ContextReset | CatError) -> None:
        """A context is lost; its queue is to recover now. Of a fault of nobody knows whom nobody is to blame."""
        self._note(message)
        if message.context is None:
            self.log.warning("a fault of an unknown context")
        else:
            self._hand(message, lambda context, of: context.on_reset(of))

    def on_engine_failure(self, message: EngineFailure) -> None:
        """An engine cannot be reset alone."""
        self._note(message)
        self._guc.reset(f"{message.engine} failed")

    messages: ClassVar = {
        ScheduleDone: on_scheduled,
        DeregisterDone: on_deregistered,
        TlbDone: on_tlb_done,
        ContextReset: on_reset,
        CatError: on_reset,
        EngineFailure: on_engine_failure,
    }

    def _hand(self, message: FromFirmware, take: Callable[[DriverContext, int | None], bool]) -> None:
        """Have the queue take a message that has the context now, if it expects it."""
        assert not isinstance(message, TlbDone | EngineFailure)
        assert message.context is not None
        queue = self._guc.queue_of(message.context)
        if queue is None:
            self._reject(message, "no queue has this context")
        elif not take(queue.context, self._guc.generation_of(message.context)):
            self._reject(message, f"{queue!r} expects no such thing")

    def _reject(self, message: FromFirmware, why: str) -> None:
        self.protocol_errors.append(f"{message}: {why}")
        self.log.warning("protocol error", message=str(message), why=why)

    def _note(self, message: FromFirmware) -> None:
        if self._record is not None:
            self._record((current().now_ns(), FIRMWARE_MESSAGE, "g2h", type(message).__name__, guc_id_of(message)))
