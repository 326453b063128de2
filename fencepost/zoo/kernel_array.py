"""An array of fences as the kernel has it: signals when all of its members have, or any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fencepost.sync import current
from fencepost.zoo.cell import Counter
from fencepost.zoo.kernel_fence import KernelFence

__all__ = ["PENDING_ERROR", "KernelArray"]

PENDING_ERROR: Final = 1
"""Stands for "no member has failed so far" until the array signals."""


class KernelArray(KernelFence):
    """Counts its members down, as dma_fence_array does.

    Order of locks: array, then member, since enabling the array adds callbacks to its members. So a member's callback,
    which runs under the member's lock, must leave the signal of the array to others.

    Args:
        members: the fences.
        signal_on_any: whether one of them is enough.

    Attributes:
        pending: how many members are still to be counted; moves only once the array was enabled.
    """

    def __init__(self, members: Sequence[KernelFence], *, signal_on_any: bool = False) -> None:
        super().__init__("array")
        self.members = members
        self.pending = Counter("array pending", 1 if signal_on_any else len(members))
        self.error.store(PENDING_ERROR)

    def enable_locked(self) -> bool:
        for member in self.members:
            if not member.add_callback(self.member_done) and self.pending.add(-1) == 0:
                self.clear_pending_error()
                return False
        return True

    def member_done(self) -> None:
        """Count a member. Its lock is held."""
        if self.pending.add(-1) == 0:
            self.signal_from_member()

    def signal_from_member(self) -> None:
        """Have the array signalled by an irq work, which holds no lock."""
        current().spawn(self.complete, name="irq work")

    def complete(self) -> None:
        """Settle the error, then signal."""
        self.clear_pending_error()
        self.signal()

    def poll(self) -> bool:
        # Before the flag: once it is set, the counter moves, and the members counted off would be counted again below.
        pending = self.pending.load()
        complete = pending <= 0 if self.enabled.load() else self.members_done(pending)
        if complete:
            self.polled_complete()
        return complete

    def members_done(self, pending: int) -> bool:
        """Say whether as many members as are pending have signalled."""
        return sum(member.is_signaled() for member in self.members) >= pending

    def polled_complete(self) -> None:
        """Do what the last member's callback does before the signal."""
        self.clear_pending_error()

    def clear_pending_error(self) -> None:
        """Say "no error" where no member left one."""
        self.error.replace(PENDING_ERROR, 0)
