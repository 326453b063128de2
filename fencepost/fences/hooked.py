"""A fence whose owner wants to know when somebody begins to wait, or knows better whether it is complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fencepost.fences.polled import PolledFence

if TYPE_CHECKING:
    from fencepost.sync.primitives import Lock

__all__ = ["HookedFence"]


class HookedFence(PolledFence):
    """A fence with the two optional operations of a kernel fence, to be overridden.

    - `on_enable` replaces dma_fence_ops.enable_signaling,
    - `poll` replaces dma_fence_ops.signaled.
    """

    __slots__ = ("_enabled",)

    def __init__(self, context: int | None = None, seqno: int = 0, name: str = "", lock: Lock | None = None) -> None:
        super().__init__(context, seqno, name, lock)
        self._enabled = False

    def on_enable(self) -> bool:
        """Start what it takes to signal; return False when the work is complete already.

        Called at most once, by the first who waits, adds a callback or asks for it, and never after the signal; again
        only when it raised. The fence's lock is held: of this fence it may call `set_error_locked` and nothing else.
        """
        return True

    def poll(self) -> bool:
        return False

    def _enable_locked(self) -> bool:
        if self._state:
            return False
        if self._enabled:
            return True
        complete = not self.on_enable()
        self._enabled = True
        return not complete

    def _refused(self) -> None:
        # `on_enable` said "complete" under the lock; the signal itself had to wait until that was dropped.
        if not self._state:
            self.signal()
