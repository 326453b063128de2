"""A buffer: a piece of memory that moves, and the fences of those who use it."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from fencepost.fences.reservation import Reservation
from fencepost.fences.usage import Usage

if TYPE_CHECKING:
    from fencepost.hw.memory.binding import Binding
    from fencepost.hw.memory.manager import MemoryManager
    from fencepost.hw.memory.placement import Placement

__all__ = ["BufferObject"]


class BufferObject:
    """A buffer of a client. Made by `MemoryManager.create`.

    (kernel: ttm_buffer_object)

    Life cycle: *empty* -> placed somewhere (`MemoryManager.validate`) <-> evicted; *freed* (`free`): refused from then
    on, and its memory goes back when it is bound nowhere and all its fences have signalled.

    Attributes:
        name: what reports call it.
        size_bytes: how big it is.
        reservation: its lock and its fences. It protects all that follows; looking without it tells what may be over.
        placement: where its memory is; None while it has none.
        pinned: how many want it to stay where it is.
        freed: its client has let it go.
        bindings: where it is bound.
    """

    def __init__(self, manager: MemoryManager, size_bytes: int, name: str) -> None:
        self.manager = manager
        self.name = name
        self.size_bytes = size_bytes
        self.reservation = Reservation(name)
        self.placement: Placement | None = None
        self.pinned = 0
        self.freed = False
        self.bindings: dict[Binding, None] = {}

    def check_usable(self) -> None:
        """Raise OSError ENOENT when it was freed.

        (kernel: drm_gem_object_lookup)
        """
        if self.freed:
            raise OSError(errno.ENOENT, f"{self!r} was freed: nothing can be done with it any more")

    def pin(self) -> None:
        """Have it stay where it is. Its reservation is held. Raises OSError ENOENT when it was freed."""
        self.reservation.check_held()
        self.check_usable()
        self.pinned += 1

    def unpin(self) -> None:
        """Undo one `pin`. Its reservation is held. Raises OSError EINVAL when there is none."""
        self.reservation.check_held()
        if not self.pinned:
            raise OSError(errno.EINVAL, f"{self!r} is not pinned")
        self.pinned -= 1

    def free(self) -> None:
        """Let it go. What is bound stays so until it is unbound. Client context; waits for its reservation.

        Raises OSError EINVAL when it was freed before. (kernel: drm_gem_handle_delete)
        """
        with self.reservation:
            if self.freed:
                raise OSError(errno.EINVAL, f"{self!r} was freed before")
            self.freed = True
            self.drop_if_unused()

    def drop_if_unused(self) -> None:
        """Give the memory of a buffer back that was freed, if nobody uses it any more. Its reservation is held."""
        if self.freed and not self.bindings and self.reservation.test_signaled(Usage.BOOKKEEP):
            self.manager.place(self, None)

    def check_left(self) -> None:
        """Raise OSError EBUSY when work that was to leave its memory has not. Its reservation is held."""
        for binding in self.bindings:
            eviction = binding.vm.eviction
            if eviction is not None and eviction.error == -errno.EBUSY:
                raise OSError(errno.EBUSY, f"{self!r} cannot move: the work of {binding.vm.name} did not leave in time")

    def invalidate(self) -> None:
        """Have every address space know that its memory moves. Its reservation is held; never blocks."""
        for binding in self.bindings:
            binding.vm.invalidate(binding)

    def __repr__(self) -> str:
        return f"<buffer {self.name}, {self.size_bytes} bytes, {self.placement or 'nowhere'}>"
