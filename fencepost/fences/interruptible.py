"""A sleep on a fence that may be broken off."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from fencepost.sync.world import current

if TYPE_CHECKING:
    from fencepost.fences.fence import Fence
    from fencepost.fences.interrupt import Interrupt

__all__ = ["wait_interruptibly"]


def wait_interruptibly(fence: Fence, when_ns: int | None, interrupt: Interrupt) -> bool:
    """Block until `fence` signals; False when the world's clock reached `when_ns` first.

    The signal comes before the interrupt, and that before the end of the time. Unlike `Fence.wait` it may return
    while callbacks still run.

    Raises OSError EINTR when interrupted, WrongContext where it would have to block and may not.
    """
    # Else it was woken late, by an interrupt that was handled before it began to wait.
    while _sleep(fence, when_ns, interrupt):
        if fence.signaled:
            return True
        if interrupt.pending:
            raise OSError(errno.EINTR, f"{interrupt!r} ended the wait for {fence!r}")
    return fence.signaled


def _sleep(fence: Fence, when_ns: int | None, interrupt: Interrupt) -> bool:
    """Sleep until somebody wakes it; False when the time was up."""
    waiter = current().waiter()

    def wake(_fence: Fence) -> None:
        waiter.wake()

    if not fence.add_callback(wake):
        return True
    interrupt.add(waiter.wake)
    try:
        return interrupt.pending or waiter.wait(when_ns, fence)
    finally:
        interrupt.remove(waiter.wake)
        fence.remove_callback(wake, wait=False)
