"""A gate: shut until somebody opens it, then open for good."""

from __future__ import annotations

from fencepost.sync.primitives import Waiter, wake_all
from fencepost.sync.tracking import published
from fencepost.sync.world import current, deadline_ns

__all__ = ["Gate"]


@published("_open")
class Gate:
    """Lets any number of tasks wait for one thing to have happened.

    Life cycle: *shut* -> *open*. `_lock` protects the list of waiters against the opening; a leaf.
    """

    __slots__ = ("_lock", "_open", "_waiters", "name", "stamp_")

    def __init__(self, name: str = "gate") -> None:
        self.name = name
        self._lock = current().lock()
        self._open = False
        self._waiters: list[Waiter] = []

    @property
    def is_open(self) -> bool:
        """True once it was opened. Any context."""
        return self._open

    def open(self) -> None:
        """Let everybody through, now and later. Never blocks; any context; idempotent."""
        with self._lock:
            self._open = True
            waiters, self._waiters = self._waiters, []
        wake_all(waiters)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until open; False when `timeout_s` ran out first.

        Raises ValueError for a negative time-out, WrongContext where it would have to block and may not.
        """
        return self.wait_until(deadline_ns(timeout_s))

    def wait_until(self, when_ns: int | None) -> bool:
        """Block until open; False when the world's clock reached `when_ns` first. Raises as `wait`."""
        if self._open:
            return True
        waiter = current().waiter()
        with self._lock:
            if self._open:
                return True
            self._waiters.append(waiter)
        try:
            waiter.wait(when_ns, self)
        finally:
            if not self._open:
                self._forget(waiter)
        return self._open

    def _forget(self, waiter: Waiter) -> None:
        with self._lock:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def __repr__(self) -> str:
        return f"<{self.name}, {'open' if self._open else 'shut'}>"
