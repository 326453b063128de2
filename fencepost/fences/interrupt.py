"""What stands for a signal that is sent to a task: it ends waits that were told to listen to it."""

from __future__ import annotations

from collections.abc import Callable

from fencepost.sync.tracking import published
from fencepost.sync.wait_queue import WaitQueue

__all__ = ["Interrupt"]


@published("_pending")
class Interrupt:
    """Ends the waits that it is given to, with OSError EINTR, now and until it is cleared.

    Life cycle: *clear* <-> *pending*, again and again.
    """

    __slots__ = ("_pending", "_sleepers", "name", "stamp_")

    def __init__(self, name: str = "interrupt") -> None:
        self.name = name
        self._pending = False
        self._sleepers = WaitQueue(name)

    @property
    def pending(self) -> bool:
        """True from `send` until `clear`. Any context."""
        return self._pending

    def send(self) -> None:
        """Interrupt. Never blocks; any context; idempotent."""
        self._pending = True
        self._sleepers.wake_all()

    def clear(self) -> None:
        """Note that it was handled: a wait may begin again. Any context."""
        self._pending = False

    def add(self, wake: Callable[[], object]) -> None:
        """Have `wake` called at each `send`, until it is removed; look at `pending` after this, not before."""
        self._sleepers.add(wake)

    def remove(self, wake: Callable[[], object]) -> None:
        """Call `wake` no more."""
        self._sleepers.remove(wake)

    def __repr__(self) -> str:
        return f"<{self.name}>"
