"""A fence as the kernel has it, for the bugs that `fencepost.fences.Fence` was made not to have.

Its callbacks run while its lock is held, and the flag that says "signalled" can be read before they have run.
"""

from __future__ import annotations

from collections.abc import Callable

from fencepost.sync import Lock, current
from fencepost.zoo.cell import Cell

__all__ = ["KernelFence"]


class KernelFence:
    """Flag, callbacks, error, and the optional operations `enable_locked` and `poll`.

    `lock` protects the callbacks and every change of the flags.

    Args:
        name: what reports call it.
        lock: the lock to use, for fences that share one; None makes one.
    """

    def __init__(self, name: str, lock: Lock | None = None) -> None:
        self.name = name
        self.lock = current().lock() if lock is None else lock
        self.flag = Cell(f"{name} signalled", value=False)
        self.enabled = Cell(f"{name} enabled", value=False)
        self.error = Cell(f"{name} error", 0)
        self.callbacks: list[Callable[[], object]] = []

    def enable_locked(self) -> bool:
        """Start what it takes to signal; False when it is complete already. Called once, with the lock held."""
        return True

    def poll(self) -> bool:
        """Say whether the work is complete."""
        return False

    def is_signaled(self) -> bool:
        """Say whether it has signalled; signals it, right here, when the work is complete."""
        if self.flag.load():
            return True
        complete = self.poll()
        if complete:
            self.signal()
        return complete

    def add_callback(self, callback: Callable[[], object]) -> bool:
        """Have `callback` called at the signal, with the lock held; False when it has signalled."""
        with self.lock:
            if self.flag.load():
                return False
            if not self.enabled.exchange(value=True) and not self.enable_locked():
                self.signal_locked()
                return False
            self.callbacks.append(callback)
            return True

    def signal(self) -> None:
        """Signal it, if nobody has."""
        with self.lock:
            self.signal_locked()

    def signal_locked(self) -> None:
        """Signal it, if nobody has, and run the callbacks."""
        if self.flag.exchange(value=True):
            return
        callbacks, self.callbacks = self.callbacks, []
        for callback in callbacks:
            callback()
