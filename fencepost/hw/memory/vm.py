"""An address space of the GPU: what is bound where, and what of that its page tables lead to."""

from __future__ import annotations

import errno
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fencepost.fences.fence import Fence
from fencepost.fences.reservation import Reservation
from fencepost.fences.usage import Usage
from fencepost.hw.memory.binding import Binding
from fencepost.hw.memory.notifier import Notifier, ProcessMemory
from fencepost.hw.memory.placement import check_range
from fencepost.hw.memory.rw_lock import VmLock
from fencepost.sync import current

if TYPE_CHECKING:
    from fencepost.hw.access import AccessFault
    from fencepost.hw.memory.buffer import BufferObject
    from fencepost.hw.memory.manager import MemoryManager

__all__ = ["Vm"]


class Vm:
    """An address space.

    (kernel: xe_vm, amdgpu_vm)

    `lock` protects what is bound; order: `lock`, a mmap lock, reservations. `_tables` protects which of that is valid,
    and the list itself for those who only look something up; a leaf, taken by hardware too.

    Args:
        memory: where buffers get their place.
        name: what reports call it.
        long_running: no fence that others can find waits for its work.

    Attributes:
        reservation: what is in it is for all that is bound and has no reservation of its own: memory of a process.
        eviction: what promises that its work leaves the hardware, of those who do more than put that into reservations:
            while it has failed with -EBUSY no buffer moves that is bound. It changes with all reservations held, or
            when its work is gone.
        on_fault: called with each access that its page tables do not lead on, in irq context: it posts, and nothing
            else. None has the job stuck, and recovered as from any other fault.
    """

    def __init__(self, memory: MemoryManager, name: str = "vm", *, long_running: bool = False) -> None:
        self.memory = memory
        self.name = name
        self.long_running = long_running
        self.lock = VmLock(name)
        self.reservation = Reservation(name)
        self.eviction: Fence | None = None
        self.on_fault: Callable[[AccessFault], object] | None = None
        self._tables = current().lock()
        self._addresses: list[int] = []
        self._bindings: dict[int, Binding] = {}

    # Binding. Client context.

    def bind(
        self,
        buffer: BufferObject,
        address: int,
        size_bytes: int | None = None,
        offset_bytes: int = 0,
        *,
        populate: bool = True,
    ) -> Binding:
        """Have `address` and what follows lead to a buffer.

        Args:
            buffer: which.
            address, size_bytes: the range; None is as much as there is.
            offset_bytes: where in the buffer it begins.
            populate: whether to bring the buffer to vram and fill the page tables, or leave that to the first fault.

        Raises:
            OSError: EINVAL for a range that is not whole pages, goes beyond the buffer, or overlaps another (kernel:
                amdgpu_vm_bo_map). ENOENT when the buffer was freed. ENOSPC when there is no room for it. Nothing is
                bound then.
        """
        size_bytes = buffer.size_bytes - offset_bytes if size_bytes is None else size_bytes
        check_range(address, size_bytes, f"a binding of {buffer.name} in {self.name}")
        check_range(offset_bytes, size_bytes, f"the part of {buffer.name} that is bound")
        if offset_bytes + size_bytes > buffer.size_bytes:
            said = f"bytes {offset_bytes} to {offset_bytes + size_bytes} of {buffer!r} are to be bound, beyond its end"
            raise OSError(errno.EINVAL, said)
        binding = Binding(self, address, size_bytes, buffer, offset_bytes=offset_bytes)
        with self.lock.write():
            with buffer.reservation:
                buffer.check_usable()
                self._add(binding)
                buffer.bindings[binding] = None
            if populate:
                self._populate_or_remove(binding)
        return binding

    def bind_userptr(
        self, process: ProcessMemory, user_address: int, size_bytes: int, address: int, *, populate: bool = True
    ) -> Binding:
        """Have `address` and what follows lead to memory of a process, as long as it has that. As `bind`."""
        check_range(address, size_bytes, f"a binding of memory of {process.name} in {self.name}")
        check_range(user_address, size_bytes, f"memory of {process.name}")
        binding = Binding(self, address, size_bytes)
        with self.lock.write():
            self._add(binding)
            binding.notifier = Notifier(process, user_address, size_bytes, lambda: self._userptr_gone(binding))
            if populate:
                self._populate_or_remove(binding)
        return binding

    def unbind(self, address: int) -> Binding:
        """Have a binding lead nowhere; it is known by its first address. Who uses it must have been waited for.

        Raises OSError ENOENT where none begins. (kernel: amdgpu_vm_bo_unmap)
        """
        with self.lock.write():
            binding = self._bindings.get(address)
            if binding is None:
                raise OSError(errno.ENOENT, f"no binding begins at {address:#x} of {self.name}")
            self._remove(binding)
        return binding

    def populate(self, binding: Binding) -> None:
        """Bring the memory of a binding to where the GPU can use it, and fill the page tables. The lock is held.

        Takes the mmap lock or the reservation. Blocks and raises as `MemoryManager.validated`; OSError ENOENT also when
        it was unbound.
        """
        self.lock.check_held()
        if self._bindings.get(binding.address) is not binding:
            raise OSError(errno.ENOENT, f"{binding!r} was unbound")
        if binding.notifier is not None:
            self._populate_userptr(binding, binding.notifier)
        elif binding.buffer is not None:
            with self.memory.validated([binding.buffer]):
                self._set_valid([binding])

    @contextmanager
    def rebound(self) -> Generator[None]:
        """Populate all that is bound, and hold all reservations in the body. The lock is held.

        Memory of a process may be gone again: see `unless_changed`. Blocks and raises as `populate`.
        (kernel: xe_vm's rebind worker)
        """
        self.lock.check_held()
        for binding in self.bindings():
            if binding.notifier is not None and not self._is_there(binding):
                self._populate_userptr(binding, binding.notifier)
        with self.memory.validated(self.buffers(), besides=[self.reservation]):
            self._set_valid([binding for binding in self.bindings() if binding.buffer is not None])
            yield

    def unless_changed(self, act: Callable[[], object]) -> bool:
        """Call `act` if all that is bound is there, in one step with that; say whether. It must not block.

        Who then takes memory away finds what `act` has put into the reservations.
        """
        with self._tables:
            if not all(map(is_there, self._bindings.values())):
                return False
            act()
            return True

    def invalidate(self, binding: Binding) -> None:
        """Have the page tables lead there no more. Never blocks; any context."""
        with self._tables:
            binding.valid = False

    # Looking. Any context.

    def lookup(self, address: int) -> Binding | None:
        """Return what is bound at an address, valid or not."""
        with self._tables:
            return self._lookup_locked(address)

    def is_mapped(self, address: int) -> bool:
        """Say whether the page tables lead somewhere from an address."""
        with self._tables:
            binding = self._lookup_locked(address)
            return binding is not None and binding.valid

    def bindings(self) -> tuple[Binding, ...]:
        """Return all bindings, by address."""
        with self._tables:
            return tuple(self._bindings[address] for address in self._addresses)

    def buffers(self) -> tuple[BufferObject, ...]:
        """Return all buffers that are bound, each once."""
        found = (binding.buffer for binding in self.bindings())
        return tuple(dict.fromkeys(buffer for buffer in found if buffer is not None))

    def faulted(self, fault: AccessFault) -> None:
        """Have a fault dealt with. By the engine, in any context; never blocks."""
        if self.on_fault is None:
            fault.nack()
        else:
            self.on_fault(fault)

    def reservations(self) -> tuple[Reservation, ...]:
        """Return its own reservation, and those of all buffers."""
        return (self.reservation, *(buffer.reservation for buffer in self.buffers()))

    # The work.

    def _populate_userptr(self, binding: Binding, notifier: Notifier) -> None:
        """Take what memory the process has there now; again, where that changes meanwhile."""
        sequence = None
        while sequence is None or not notifier.unless_changed(sequence, lambda: self._set_valid([binding])):
            with notifier.process.mmap_lock.read():
                sequence = notifier.sequence

    def _is_there(self, binding: Binding) -> bool:
        with self._tables:
            return is_there(binding)

    def _set_valid(self, bindings: Iterable[Binding]) -> None:
        for binding in bindings:
            if binding.buffer is not None:
                binding.buffer.reservation.wait(Usage.KERNEL)
            with self._tables:
                binding.valid, binding.stale = True, False

    def _userptr_gone(self, binding: Binding) -> None:
        """Let nobody use memory of a process any more. Client context; blocks until the fences have signalled."""
        with self._tables:
            binding.stale = True
        self.reservation.wait(Usage.BOOKKEEP)
        self.invalidate(binding)

    def _populate_or_remove(self, binding: Binding) -> None:
        try:
            self.populate(binding)
        except BaseException:
            self._remove(binding)
            raise

    def _add(self, binding: Binding) -> None:
        with self._tables:
            index = bisect_right(self._addresses, binding.address)
            around = (self._bindings[address] for address in self._addresses[max(index - 1, 0) : index + 1])
            for other in around:
                if other.address < binding.end and binding.address < other.end:
                    raise OSError(errno.EINVAL, f"{binding!r} overlaps {other!r}")
            self._addresses.insert(index, binding.address)
            self._bindings[binding.address] = binding

    def _remove(self, binding: Binding) -> None:
        with self._tables:
            self._addresses.remove(binding.address)
            del self._bindings[binding.address]
            binding.valid = False
        if binding.notifier is not None:
            binding.notifier.close()
        if binding.buffer is not None:
            with binding.buffer.reservation:
                del binding.buffer.bindings[binding]
                binding.buffer.drop_if_unused()

    def _lookup_locked(self, address: int) -> Binding | None:
        index = bisect_right(self._addresses, address)
        if not index:
            return None
        binding = self._bindings[self._addresses[index - 1]]
        return binding if address < binding.end else None

    def __repr__(self) -> str:
        return f"<vm {self.name}, {len(self._bindings)} bindings>"


def is_there(binding: Binding) -> bool:
    """Say whether its memory can be used, and is not being taken away. The page tables are locked."""
    return binding.valid and not binding.stale
