"""A message that cannot fail to be sent, because it exists as long as what it is for."""

from __future__ import annotations

from collections.abc import Callable

from fencepost.sync import current

__all__ = ["StaticMessage"]


class StaticMessage:
    """A message of a backend that is on its way at most once.

    Life cycle, again and again: *idle* -> *queued* (`try_queue`) -> *idle* (`dequeue`, before it is processed, so that
    it can be sent again from then on). Sending it again while it is queued changes nothing: its effect is still to
    come. So it needs no memory at the moment it is sent, which may be inside a signalling section.

    `_lock` protects the state; a leaf.

    Args:
        opcode: what it asks for; the backend's own word.
        dropped: called when it was sent and will never be processed, because its scheduler has ended. Any context.
    """

    __slots__ = ("_dropped", "_lock", "_queued", "opcode")

    def __init__(self, opcode: str, dropped: Callable[[], object] | None = None) -> None:
        self.opcode = opcode
        self._dropped = dropped
        self._lock = current().lock()
        self._queued = False

    @property
    def queued(self) -> bool:
        """True while it is on its way. Any context."""
        return self._queued

    def try_queue(self) -> bool:
        """Claim it for one sending; False when it is on its way already. Any context."""
        with self._lock:
            was_queued, self._queued = self._queued, True
        return not was_queued

    def dequeue(self) -> None:
        """Let it be sent again. By the scheduler's actor."""
        with self._lock:
            self._queued = False

    def drop(self) -> None:
        """Note that nobody is left to process it. By the scheduler's actor, or who sent it when that was gone."""
        self.dequeue()
        if self._dropped is not None:
            self._dropped()

    def __repr__(self) -> str:
        return f"<{self.opcode}{' queued' if self._queued else ''}>"
