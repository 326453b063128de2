"""What one GPU can reach of a process: its page table, as the SDMA writes it, and what it remembers of that."""

from __future__ import annotations

import enum
import errno
from collections import deque

from fencepost.errors import WrongState
from fencepost.hw.mapping.sdma import Update
from fencepost.sync import current
from fencepost.sync.tracking import tracked

__all__ = ["PageTable", "Touch"]


class Touch(enum.StrEnum):
    """What comes of it when a GPU uses an address."""

    DONE = "done"
    FAULT = "fault"
    STALE = "stale"
    """It got to where the memory was before: the entry is gone, and the GPU remembers it."""


class Entry:
    """The translation of one buffer.

    Attributes:
        present: whether the last update that was done wrote it.
        updates: those that may be still on their way, oldest first.
        error: what the last update failed with that is over, or 0.
        lost: whether the last update failed that should have written it.
        flushed: whether the GPU has forgotten what it knew before the last update.
    """

    __slots__ = ("error", "flushed", "lost", "present", "updates")

    def __init__(self) -> None:
        self.present = False
        self.updates: deque[Update] = deque()
        self.error = 0
        self.lost = False
        self.flushed = False

    def settle(self) -> None:
        """Take note of the updates that are over; one that failed has changed nothing."""
        while self.updates and self.updates[0].fence.signaled:
            update = self.updates.popleft()
            self.error = update.fence.error
            if update.maps:
                self.lost = self.error != 0
            if not self.error:
                self.present = update.maps


@tracked("_entries", "_tlb")
class PageTable:
    """The page table of one process on one GPU, and the TLB in front of it.

    An update shows when its fence has signalled. What the GPU has looked up before, it goes on to believe until it is
    told to forget (`flush`): also that there was nothing.

    Any context; never blocks. `_lock` protects the entries and the TLB; a leaf.

    Buffers go by their handles.

    Args:
        name: what reports call it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = current().lock()
        self._entries: dict[int, Entry] = {}
        self._tlb: dict[int, bool] = {}

    def push(self, handle: int, update: Update) -> None:
        """Note an update that is on its way, behind all others of this buffer."""
        with self._lock:
            entry = self._entries.setdefault(handle, Entry())
            entry.updates.append(update)
            entry.flushed = False

    def drop(self, handle: int) -> None:
        """Take an entry away at once, whatever is on its way, and have it forgotten."""
        with self._lock:
            self._entries.pop(handle, None)
            self._tlb.pop(handle, None)

    # What it holds.

    def present(self, handle: int) -> bool:
        """Say whether there is an entry now."""
        with self._lock:
            return self._settled_locked(handle).present

    def wanted(self, handle: int) -> bool:
        """Say whether there will be an entry, if all goes well."""
        with self._lock:
            entry = self._settled_locked(handle)
            return entry.updates[-1].maps if entry.updates else entry.present

    def in_use(self, handle: int) -> bool:
        """Say whether there is an entry, or anything is on its way."""
        with self._lock:
            entry = self._settled_locked(handle)
            return entry.present or bool(entry.updates)

    def last_update(self, handle: int) -> Update | None:
        """Return the last of those that are on their way, behind which nothing else is."""
        with self._lock:
            entry = self._settled_locked(handle)
            return entry.updates[-1] if entry.updates else None

    def awaited(self, handle: int, *, maps: bool) -> Update | None:
        """Return what is to be waited for until there is an entry, or none, as `maps` says; None when that is so.

        In one look, since an update may be over at any time, and the error it fails with must not be missed.

        Raises OSError: what the update failed with that should have made it so; EINVAL where nobody has tried.
        """
        with self._lock:
            entry = self._settled_locked(handle)
            last = entry.updates[-1] if entry.updates else None
            if last is not None and last.maps == maps:
                return last
            if last is None and entry.present == maps:
                return None
            number = -entry.error if last is None and entry.error else errno.EINVAL
        raise OSError(number, f"buffer {handle} is not {'mapped' if maps else 'unmapped'} on {self.name}")

    def lost(self, handle: int) -> bool:
        """Say whether the last update failed that should have written an entry."""
        with self._lock:
            return self._settled_locked(handle).lost

    def usable(self, handle: int) -> bool:
        """Say whether the GPU can rely on it: it is there, nothing is on its way, and nothing else is remembered."""
        with self._lock:
            entry = self._settled_locked(handle)
            return entry.present and entry.flushed and not entry.updates

    # The GPU's side.

    def flush(self) -> None:
        """Have the GPU forget what it has looked up."""
        with self._lock:
            self._tlb.clear()
            for entry in self._entries.values():
                entry.settle()
                entry.flushed = not entry.updates

    def touch(self, handle: int) -> Touch:
        """Use an address of a buffer, as something that runs on the GPU does."""
        with self._lock:
            present = self._settled_locked(handle).present
            believed = self._tlb.setdefault(handle, present)
        if not believed:
            return Touch.FAULT
        return Touch.DONE if present else Touch.STALE

    def forget(self, handle: int) -> None:
        """Keep nothing of a buffer whose memory is about to go.

        Raises WrongState when the GPU could still get there: something else would be in its place.
        """
        with self._lock:
            entry = self._settled_locked(handle)
            if entry.present or entry.updates or self._tlb.get(handle):
                raise WrongState(f"buffer {handle} is freed while {self.name} can get to it: unmap it and flush first")
            self._entries.pop(handle, None)
            self._tlb.pop(handle, None)

    def _settled_locked(self, handle: int) -> Entry:
        entry = self._entries.get(handle)
        if entry is None:
            return Entry()
        entry.settle()
        return entry

    def __repr__(self) -> str:
        return f"<page table of {self.name}>"
