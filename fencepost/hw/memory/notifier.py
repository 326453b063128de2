"""Memory of a process that a GPU uses too, and how it is told that it goes."""

from __future__ import annotations

from collections.abc import Callable

from fencepost.hw.memory.placement import check_range
from fencepost.hw.memory.rw_lock import MmapLock
from fencepost.sync import current

__all__ = ["Notifier", "ProcessMemory"]


class ProcessMemory:
    """The memory of a process: a lock, and who wants to know of changes.

    (kernel: mm_struct)

    `mmap_lock` protects what memory there is. `_lock` protects the list of notifiers; a leaf.

    Args:
        name: of the process.
    """

    def __init__(self, name: str = "process") -> None:
        self.name = name
        self.mmap_lock = MmapLock(name)
        self._lock = current().lock()
        self._notifiers: dict[Notifier, None] = {}

    def unmap(self, address: int, size_bytes: int) -> None:
        """Take memory away, once nobody uses it any more. Client context.

        Blocks until the notifiers have waited for their fences, holding the mmap lock. Raises OSError EINVAL for a
        range that is not whole pages. (kernel: munmap)
        """
        check_range(address, size_bytes, f"memory of {self.name}")
        with self.mmap_lock.write():
            with self._lock:
                notifiers = [each for each in self._notifiers if each.overlaps(address, size_bytes)]
            for notifier in notifiers:
                notifier.invalidate()

    def add(self, notifier: Notifier) -> None:
        """Tell `notifier` from now on."""
        with self._lock:
            self._notifiers[notifier] = None

    def remove(self, notifier: Notifier) -> None:
        """Tell `notifier` no more."""
        with self._lock:
            self._notifiers.pop(notifier, None)


class Notifier:
    """Somebody's interest in a range of the memory of a process.

    (kernel: mmu_interval_notifier)

    `_lock` protects the sequence; under it only that of page tables is taken.

    Args:
        process, address, size_bytes: of which memory.
        gone: called when it goes, after the sequence was changed: has it used no more, and may wait for that.
    """

    def __init__(self, process: ProcessMemory, address: int, size_bytes: int, gone: Callable[[], object]) -> None:
        self.process = process
        self._address = address
        self._size_bytes = size_bytes
        self._gone = gone
        self._lock = current().lock()
        self._sequence = 0
        process.add(self)

    @property
    def sequence(self) -> int:
        """How often the memory has changed. Any context."""
        with self._lock:
            return self._sequence

    def unless_changed(self, sequence: int, act: Callable[[], object]) -> bool:
        """Call `act` if the memory is as it was at `sequence`; say whether. It must not block. Any context."""
        with self._lock:
            if self._sequence != sequence:
                return False
            act()
            return True

    def overlaps(self, address: int, size_bytes: int) -> bool:
        """Say whether a range has to do with it."""
        return address < self._address + self._size_bytes and self._address < address + size_bytes

    def invalidate(self) -> None:
        """Note that the memory goes, and see to it that nobody uses it. The mmap lock is held to write.

        (kernel: mmu_notifier_invalidate_range_start)
        """
        with self._lock:
            self._sequence += 1
        self._gone()

    def close(self) -> None:
        """Be told no more. Idempotent."""
        self.process.remove(self)
