"""Who gets which memory: buffers are placed, and others make room for them."""

from __future__ import annotations

import errno
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from fencepost.errors import BadInput
from fencepost.fences.usage import Usage
from fencepost.fences.ww_lock import AcquireContext, WwLock
from fencepost.hw.memory.buffer import BufferObject
from fencepost.hw.memory.placement import PAGE_BYTES, Placement, check_range
from fencepost.hw.memory.region import Region
from fencepost.hw.memory.shrinker import Shrinker
from fencepost.sync import current
from fencepost.sync.allocation import RECLAIMING, Allocation, might_alloc

__all__ = ["MemoryManager"]


class MemoryManager:
    """The memory of a device, and of the machine as far as the device uses it.

    (kernel: TTM)

        buffer = memory.create(1 << 20, "texture")
        with memory.validated([buffer]):
            ...  # in vram, and its reservation is held

    What is evicted goes from vram to system memory, and from there to a disk. Moving takes no time, but must wait until
    all fences of the buffer have signalled.

    Args:
        vram_bytes, system_bytes: how much there is of each; whole pages.

    Attributes:
        regions: the account of each kind.
        shrinker: what frees system memory when there is none left.

    Raises:
        BadInput: for a size that is below one page or no multiple of it.
    """

    def __init__(self, vram_bytes: int, system_bytes: int) -> None:
        for where, size_bytes in (("vram_bytes", vram_bytes), ("system_bytes", system_bytes)):
            if size_bytes < PAGE_BYTES or size_bytes % PAGE_BYTES:
                raise BadInput(where, str(size_bytes), f"a multiple of {PAGE_BYTES}, at least that")
        self.regions = {
            Placement.VRAM: Region(Placement.VRAM, vram_bytes),
            Placement.SYSTEM: Region(Placement.SYSTEM, system_bytes),
        }
        self.shrinker = Shrinker(self)

    # Buffers.

    def create(self, size_bytes: int, name: str = "buffer") -> BufferObject:
        """Make a buffer, which has no memory yet. Client context.

        Raises OSError EINVAL for a size that is not whole pages, at least one; ENOMEM for one that no region can hold.
        (kernel: amdgpu_bo_validate_size)
        """
        check_range(0, size_bytes, f"the buffer {name}")
        most_bytes = max(region.capacity_bytes for region in self.regions.values())
        if size_bytes > most_bytes:
            raise OSError(
                errno.ENOMEM, f"the buffer {name} is of {size_bytes} bytes, and no region of over {most_bytes}"
            )
        return BufferObject(self, size_bytes, name)

    def validate(
        self, buffer: BufferObject, placement: Placement = Placement.VRAM, context: AcquireContext | None = None
    ) -> None:
        """Bring a buffer to `placement`; others are evicted from there. Its reservation is held. Client context.

        Blocks until all fences have signalled of the buffer, if it moves, and of those that make room. Whoever is to
        use it where it is waits for its KERNEL fences besides. (kernel: ttm_bo_validate)

        Args:
            buffer: which.
            placement: where to.
            context: in which its reservation was taken: then it may wait for the reservations of others, too.

        Raises:
            OSError: ENOENT when it was freed and is bound nowhere. EINVAL when it is pinned elsewhere. ENOSPC when
                there is no room, even with everything evicted that may be. EBUSY when work did not leave memory that
                is to move. EDEADLK when `context` must give way: see `WwLock`.
            WrongState: when its reservation is not held.
        """
        buffer.reservation.check_held()
        if not buffer.bindings:
            buffer.check_usable()
        if buffer.placement is placement:
            self.regions[placement].touch(buffer)
            return
        if buffer.pinned:
            raise OSError(errno.EINVAL, f"{buffer!r} is pinned, and wanted in {placement}")
        might_alloc(Allocation.KERNEL)
        self._move(buffer, placement, context)

    @contextmanager
    def validated(
        self,
        buffers: Iterable[BufferObject],
        placement: Placement = Placement.VRAM,
        *,
        besides: Iterable[WwLock] = (),
    ) -> Generator[AcquireContext]:
        """Hold the reservations of buffers, and locks `besides`, in the body; all buffers are in `placement`.

        Client context. Blocks and raises as `validate`, but for EDEADLK: then it begins anew.
        (kernel: drm_exec around ttm_bo_validate)
        """
        wanted = tuple(dict.fromkeys(buffers))
        locks = dict.fromkeys((*(buffer.reservation for buffer in wanted), *besides))
        with AcquireContext() as context:
            while not self._try_all(locks, wanted, placement, context):
                # To begin anew it must wait for who wanted what it had, so this does not spin.
                context.unlock_all()
            yield context

    def evict(self, buffer: BufferObject, context: AcquireContext | None = None) -> None:
        """Bring a buffer to where what is evicted goes. Its reservation is held. Client context; raises as `validate`.

        Blocks until all its fences have signalled: what they stand for uses the memory, or keeps work on the hardware
        that does.
        """
        buffer.reservation.check_held()
        if buffer.placement is None:
            return
        if buffer.pinned:
            raise OSError(errno.EINVAL, f"{buffer!r} is pinned, and is to be evicted")
        unused = buffer.freed and not buffer.bindings
        self._move(buffer, None if unused else buffer.placement.below, context)

    def place(self, buffer: BufferObject, placement: Placement | None) -> None:
        """Book a buffer where its memory was taken, and give back what it had. Its reservation is held."""
        if buffer.placement is not None:
            self.regions[buffer.placement].give_back(buffer.size_bytes, buffer)
        buffer.placement = placement

    # Other memory.

    def allocate(self, size_bytes: int, kind: Allocation = Allocation.KERNEL) -> None:
        """Take system memory for other things than buffers, until it is given back by `release`.

        Blocks, if `kind` allows that, until buffers have left system memory, and so until their fences have signalled.

        Raises OSError EINVAL for less than one byte, ENOMEM when there is not enough.
        """
        if size_bytes < 1:
            raise OSError(errno.EINVAL, f"{size_bytes} bytes of system memory are wanted, expected at least 1")
        might_alloc(kind)
        system = self.regions[Placement.SYSTEM]
        while not system.take(size_bytes):
            if kind not in RECLAIMING or not self.shrinker.reclaim():
                raise OSError(errno.ENOMEM, f"{size_bytes} bytes are wanted of {system!r}, and nothing can leave it")

    def release(self, size_bytes: int) -> None:
        """Give memory back that was taken by `allocate`. Never blocks; any context."""
        self.regions[Placement.SYSTEM].give_back(size_bytes)

    # The work.

    def lock_victim(self, placement: Placement, context: AcquireContext | None = None) -> BufferObject | None:
        """Lock a buffer that can leave `placement`, of those the one used least recently; None when there is none.

        With a context it waits, if need be, for one that somebody else has locked; without, it only tries.
        (kernel: ttm_mem_evict_first)
        """
        while others := self._evictable(placement):
            for buffer in others:
                if buffer.reservation.trylock(context) and self._still_there(buffer, placement):
                    return buffer
            if context is None:
                return None
            others[0].reservation.lock(context)
            if self._still_there(others[0], placement):
                return others[0]
        return None

    def _evictable(self, placement: Placement) -> list[BufferObject]:
        """Return what might leave, the one used least recently first; what the calling task has locked does not."""
        task = current().task()
        buffers = self.regions[placement].least_recent()
        return [buffer for buffer in buffers if not buffer.pinned and buffer.reservation.holder is not task]

    def _still_there(self, buffer: BufferObject, placement: Placement) -> bool:
        """Say whether a buffer can leave, now that it was locked; unlock one that cannot.

        It may have moved, or have been pinned, since it was looked for. One on its way is locked until it is there.
        """
        if buffer.placement is placement and not buffer.pinned:
            return True
        buffer.reservation.unlock()
        return False

    def _move(self, buffer: BufferObject, placement: Placement | None, context: AcquireContext | None) -> None:
        region = None if placement is None else self.regions[placement]
        if region is not None:
            self._make_room(region, buffer, context)
        try:
            buffer.reservation.wait(Usage.BOOKKEEP)
            buffer.check_left()
            buffer.invalidate()
        except BaseException:
            if region is not None:
                region.give_back(buffer.size_bytes, buffer)
            raise
        self.place(buffer, placement)

    def _make_room(self, region: Region, buffer: BufferObject, context: AcquireContext | None) -> None:
        """Take room for a buffer, and have others leave for that."""
        while not region.take(buffer.size_bytes, buffer):
            victim = self.lock_victim(region.placement, context)
            if victim is None:
                raise OSError(errno.ENOSPC, f"no room for {buffer!r} in {region!r}, and nothing can leave it")
            try:
                self.evict(victim, context)
            finally:
                victim.reservation.unlock()

    def _try_all(
        self, locks: Iterable[WwLock], buffers: Iterable[BufferObject], placement: Placement, context: AcquireContext
    ) -> bool:
        """Lock all, and bring all to `placement`; False when the context must give way to an older one."""
        try:
            for lock in locks:
                lock.lock(context)
            for buffer in buffers:
                self.validate(buffer, placement, context)
        except OSError as error:
            if error.errno != errno.EDEADLK:
                raise
            return False
        return True
