"""A wait queue: who waits until a condition over shared state holds is woken whenever that state has changed."""

from __future__ import annotations

from collections.abc import Callable

from fencepost.sync.world import current

__all__ = ["WaitQueue"]


class WaitQueue:
    """Calls whoever registered, each time somebody has changed what they look at.

    The rule on both sides closes the gap in which a wake-up is lost: who waits registers first and looks at its
    condition afterwards; who changes the state changes it first and wakes afterwards. (kernel: wait_event, wake_up_all)

    `_lock` protects the list of those who wait; a leaf.
    """

    __slots__ = ("_lock", "_wakes", "name")

    def __init__(self, name: str = "wait queue") -> None:
        self.name = name
        self._lock = current().lock()
        self._wakes: list[Callable[[], object]] = []

    def add(self, wake: Callable[[], object]) -> None:
        """Have `wake` called at each wake-up until it is removed. It may only post. Any context."""
        with self._lock:
            self._wakes.append(wake)

    def remove(self, wake: Callable[[], object]) -> None:
        """Call `wake` no more; a call that is under way may still come. Any context."""
        with self._lock:
            if wake in self._wakes:
                self._wakes.remove(wake)

    def wake_all(self) -> None:
        """Let everybody look at their condition again. Never blocks; any context; after the change."""
        with self._lock:
            wakes = tuple(self._wakes)
        for wake in wakes:
            wake()

    def __repr__(self) -> str:
        return f"<{self.name}>"
