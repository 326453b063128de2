"""The fences of a buffer: who uses it, for what, and who must wait for them."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from fencepost.errors import WrongState
from fencepost.fences.array import FenceArray
from fencepost.fences.container import ContainerFence
from fencepost.fences.fence import Fence
from fencepost.fences.fence_cursor import FenceCursor
from fencepost.fences.fence_list import Entry, FenceList
from fencepost.fences.interruptible import wait_interruptibly
from fencepost.fences.publication import publish
from fencepost.fences.usage import Usage
from fencepost.fences.ww_lock import WwLock
from fencepost.sync.allocation import Allocation, might_alloc
from fencepost.sync.world import deadline_ns

if TYPE_CHECKING:
    from fencepost.fences.interrupt import Interrupt

__all__ = ["Reservation", "Usage"]


class Reservation(WwLock):
    """A lock, and the fences that those who held it have left there.

        with locked([reservation, ...]):
            reservation.reserve(1)
            dependencies = reservation.get_fences(Usage.READ)
            ...
            reservation.add(job.finished, Usage.WRITE)

    What asks for fences needs no lock and may be called in any context: it goes through the list as it stands, and
    begins anew when another took its place. (kernel: dma_resv)

    Who holds it may change the list, and alone knows how many slots it was promised. Anybody may read the list at any
    time.

    Args:
        name: what reports call it.
    """

    __slots__ = ("_fences", "_promised")

    kind: ClassVar[str] = "Reservation"

    def __init__(self, name: str = "buffer") -> None:
        super().__init__(name)
        self._fences = FenceList()
        self._promised = 0

    # For who holds it.

    def reserve(self, count: int = 1) -> None:
        """Make sure that `count` fences can be added until it is unlocked. Client context.

        What needs no slot, since it replaces another, may be added besides. This is where memory is taken, and where
        signalled fences are dropped. (kernel: dma_resv_reserve_fences)

        Raises OSError EINVAL for fewer than 1, WrongState when the calling task does not hold it.
        """
        self.check_held()
        if count < 1:
            raise OSError(errno.EINVAL, f"{count} slots of {self!r} asked for, expected at least 1")
        might_alloc(Allocation.KERNEL)
        if len(self._fences) + count > self._fences.capacity:
            fences = self._fences.pending()
            fences.capacity = max(fences.capacity, len(fences) + count)
            self._fences = fences
        self._promised = max(self._promised, count)

    def add(self, fence: Fence, usage: Usage) -> None:
        """Have those who ask for `usage`, or a usage after it, wait for `fence`.

        It replaces an earlier one of its context that is there for the same or a later usage; so adding a fence again
        may bring its usage forward and never puts it back. From here on the fence must signal whatever happens.
        (kernel: dma_resv_add_fence)

        Raises ValueError for a container of fences, WrongState without a slot that was reserved since it was locked,
        and when the calling task does not hold it.
        """
        entry = self._entry(fence, usage)
        fences = self._fences
        if fences.covers(entry):
            return
        outdated = fences.outdated_by(entry)
        if outdated is None and not self._promised:
            raise WrongState(f"{fence!r} is added to {self!r} without a slot: reserve some after each lock")
        publish(fence, self, entry.usage.name)
        if outdated is None:
            self._promised -= 1
            fences.append(entry)
        else:
            fences.store(outdated, entry)

    def replace(self, context: int, fence: Fence, usage: Usage) -> None:
        """Put `fence` in the place of all fences of a context; where there is none, nothing changes.

        Only right where the work of those can touch the memory no more once `fence` signals. Needs no slot; raises
        otherwise as `add`. (kernel: dma_resv_replace_fences)
        """
        entry = self._entry(fence, usage)
        if self._fences.has(context):
            publish(fence, self, entry.usage.name)
            self._fences.replace(context, entry)

    def iterate(self, usage: Usage) -> Iterator[Entry]:
        """Go through the fences of `usage` and those before it, with the usage of each, signalled ones too.

        Raises WrongState when the calling task does not hold it. (kernel: dma_resv_for_each_fence)
        """
        self.check_held()
        return self._fences.up_to(Usage(usage))

    def unlock(self) -> None:
        """Give it back, and the slots that were not used. Raises as that of `WwLock`."""
        self.check_held()
        self._promised = 0
        super().unlock()

    # For everybody.

    def iterate_unlocked(self, usage: Usage) -> FenceCursor:
        """Go through the fences of `usage` and those before it that have not signalled, with the usage of each."""
        return FenceCursor(lambda: self._fences, Usage(usage))

    def test_signaled(self, usage: Usage) -> bool:
        """Say whether every fence of `usage` and those before it has signalled."""
        return next(self.iterate_unlocked(usage), None) is None

    def wait(self, usage: Usage, timeout_s: float | None = None, *, interrupt: Interrupt | None = None) -> bool:
        """Block until every fence of `usage` and those before it has signalled. Also while holding it.

        Returns:
            True when all have signalled, False when `timeout_s`, for all together, ran out first (0 polls).

        Raises:
            OSError: EINTR when `interrupt` came first.
            ValueError: for a negative time-out.
            WrongContext: from a context that may not block, when it would have to.
        """
        when_ns = deadline_ns(timeout_s)
        return all(self._wait_for(fence, when_ns, interrupt) for fence, _ in self.iterate_unlocked(usage))

    def set_deadline(self, usage: Usage, when_ns: int) -> None:
        """Hint to each fence of `usage` and those before it that it is wanted by `when_ns`."""
        for fence, _ in self.iterate_unlocked(usage):
            fence.set_deadline(when_ns)

    def get_fences(self, usage: Usage) -> list[Fence]:
        """Return the fences of `usage` and those before it that have not signalled, each once."""
        fences: dict[Fence, None] = {}
        cursor = self.iterate_unlocked(usage)
        for fence, _ in cursor:
            if cursor.is_restarted:
                fences.clear()
            fences[fence] = None
        return list(fences)

    def get_singleton(self, usage: Usage) -> Fence | None:
        """Return one fence for all of `get_fences`, or None when there is none. An array cannot be added back."""
        fences = self.get_fences(usage)
        return FenceArray(fences) if len(fences) > 1 else next(iter(fences), None)

    @staticmethod
    def _wait_for(fence: Fence, when_ns: int | None, interrupt: Interrupt | None) -> bool:
        if interrupt is None:
            return fence.wait_until(when_ns)
        return wait_interruptibly(fence, when_ns, interrupt)

    def _entry(self, fence: Fence, usage: Usage) -> Entry:
        self.check_held()
        if isinstance(fence, ContainerFence):
            said = f"{fence!r} is added to {self!r}, expected a fence that holds no others: see unwrap"
            raise ValueError(said)  # noqa: TRY004 - the kernel's warning about a value
        return Entry(fence, Usage(usage))
