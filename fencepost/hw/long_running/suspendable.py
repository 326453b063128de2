"""What can be taken off the hardware and put back, as those see it who do that for its memory's sake."""

from __future__ import annotations

from typing import Protocol

from fencepost.fences import Fence

__all__ = ["Suspendable"]


class Suspendable(Protocol):
    """A queue of long-running work, such as a `GucQueue`. Nothing here blocks or takes memory; any context."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    def suspend(self) -> Fence:
        """Hold it off the hardware; the fence signals when nothing of it runs, or never will."""
        ...

    def resume(self) -> None:
        """Hold it off no more."""
        ...

    def kill(self) -> None:
        """Run nothing of it any more. Whoever waits until it is off is told."""
        ...
