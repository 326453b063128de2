"""A fence that is asked whether it is complete, besides being told."""

from __future__ import annotations

from fencepost.fences.fence import Fence

__all__ = ["PolledFence"]


class PolledFence(Fence):
    """Whoever asks whether it has signalled makes it look, and it signals right there when its work is complete."""

    __slots__ = ()

    def poll(self) -> bool:
        """Say whether the work is complete. Called without the lock, perhaps by several tasks at once."""
        raise NotImplementedError

    @property
    def signaled(self) -> bool:
        """True once it has signalled. It may do so here, and what it is made of too."""
        if not self._state and self.poll():
            self.signal()
        return self._state != 0

    @property
    def status(self) -> int:
        return super().status if self.signaled else 0
