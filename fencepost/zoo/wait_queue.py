"""Sleepers that each wait for a condition of their own, all woken together."""

from __future__ import annotations

from collections.abc import Callable

from fencepost.sync import Waiter, current
from fencepost.sync.primitives import wake_all

__all__ = ["WaitQueue"]


class WaitQueue:
    """Where tasks sleep until something they look at has changed.

    Whoever changes it must do so before `wake_all`: a sleeper that looks too early sleeps again. `_lock` protects the
    list of sleepers; a leaf. (kernel: wait_event, wake_up_all)
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = current().lock()
        self._waiters: list[Waiter] = []

    def wait(self, condition: Callable[[], bool], on: object = None) -> None:
        """Block until `condition()` is true. It is called without the lock, after the caller was put on the list.

        Reports name `on` as what is waited for, or the queue.
        """
        while True:
            waiter = current().waiter()
            with self._lock:
                self._waiters.append(waiter)
            if condition():
                break
            waiter.wait(None, self if on is None else on)
        with self._lock:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def wake_all(self) -> None:
        """Have every sleeper look again. Never blocks; any context."""
        with self._lock:
            waiters, self._waiters = self._waiters, []
        wake_all(waiters)

    def __repr__(self) -> str:
        return self._name
