"""A fence as a file descriptor, for whatever polls descriptors: `select`, `selectors`, `asyncio`, another process.

(kernel: sync_file)
"""

from __future__ import annotations

import errno
import os
import sys
import warnings
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from fencepost.fences.fence import Fence
from fencepost.fences.publication import publish
from fencepost.fences.unwrap import merge, unwrap
from fencepost.sync.allocation import Allocation, might_alloc
from fencepost.sync.world import current

__all__ = ["FenceInfo", "SyncFile", "SyncFileInfo"]

MANY: Final = (1 << 63).to_bytes(8, sys.byteorder)
"""How often an eventfd can be read before it is no longer readable."""


@dataclass(frozen=True, slots=True)
class FenceInfo:
    """What a sync file says of one fence (kernel: sync_fence_info).

    Attributes:
        driver: what kind of fence it is: the name of its class.
        timeline: its name, or else the number of its context.
        status: 0 while pending, 1 when complete, else the negative errno.
        timestamp_ns: when it signalled; 0 while pending.
    """

    driver: str
    timeline: str
    status: int
    timestamp_ns: int


@dataclass(frozen=True, slots=True)
class SyncFileInfo:
    """What a sync file says of itself (kernel: sync_file_info).

    Attributes:
        name: the one it was given.
        status: that of the first of its fences which is pending or has an error; 1 when there is none.
        num_fences: how many fences it stands for.
        fences: each of them, unless only the number was asked for.
    """

    name: str
    status: int
    num_fences: int
    fences: tuple[FenceInfo, ...]


class SyncFile:
    """One fence, to be polled, merged with others and asked about.

    Life cycle: *open* -> *closed*. A context manager closes it. One that is dropped while its descriptor is open warns;
    the descriptor goes when the fence signals.

    The descriptor is readable once the fence has signalled, with an error or without, and stays so whoever reads it. It
    may be polled by other processes. Who sleeps in a poll blocks a whole thread: in a virtual world only look, with a
    time-out of 0, and sleep in `wait`.

    `_lock` protects the descriptor and whether the file is closed; a leaf.

    Args:
        fence: what it stands for, for good.
        name: what reports call it.
    """

    _descriptor: Descriptor | None = None

    def __init__(self, fence: Fence, name: str = "") -> None:
        self.fence = fence
        self.name = name
        self._lock = current().lock()
        self._closed = False
        might_alloc(Allocation.KERNEL)
        publish(fence, self)

    @property
    def status(self) -> int:
        """The status of its fence. Any context."""
        return self.fence.status

    @property
    def closed(self) -> bool:
        """True once it was closed. Any context."""
        return self._closed

    def fileno(self) -> int:
        """Return the descriptor; the first call opens it, and has the fence signal without being polled.

        Raises OSError: EBADF when closed, EMFILE or ENFILE when there are too many. Any context.
        """
        with self._lock:
            self._check_open()
            descriptor = self._descriptor
            fresh = descriptor is None
            if descriptor is None:
                descriptor = self._descriptor = Descriptor(*open_ends())
        # Without the lock, since this may signal the fence: its callbacks may do anything, such as closing this.
        if fresh and not self.fence.add_callback(descriptor.make_readable):
            descriptor.make_readable(self.fence)
        if fresh and self._closed:
            # `close` may have looked for it before it was added.
            self.fence.remove_callback(descriptor.make_readable, wait=False)
        self._check_open()
        return descriptor.number

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the fence signals; False when `timeout_s` ran out first. In any world.

        Raises OSError: EBADF when closed, EINVAL for a negative time-out. Raises WrongContext as `Fence.wait`.
        """
        self._check_open()
        if timeout_s is not None and not timeout_s >= 0:
            raise OSError(errno.EINVAL, f"{self!r} waited for during {timeout_s} s, expected 0 or more")
        return self.fence.wait(timeout_s)

    def merge(self, other: object, name: str = "") -> SyncFile:
        """Return a new file of both fences; this and the other stay as they are. Any context.

        Raises OSError: EBADF when closed, ENOENT when the other is closed or no sync file.
        """
        self._check_open()
        if not isinstance(other, SyncFile) or other.closed:
            raise OSError(errno.ENOENT, f"{self!r} cannot be merged with {other!r}, expected an open sync file")
        return SyncFile(merge(self.fence, other.fence), name)

    def info(self, room: int | None = None) -> SyncFileInfo:
        """Tell of the file and its fences. Any context.

        Args:
            room: for how many fences the caller has room; 0 asks only how many there are, and for the status of the
                whole.

        Raises OSError: EBADF when closed, EINVAL when there are more fences than room.
        """
        self._check_open()
        leaves = tuple(unwrap(self.fence))
        if room == 0:
            return SyncFileInfo(self.name, self.status, len(leaves), ())
        if room is not None and room < len(leaves):
            raise OSError(errno.EINVAL, f"{self!r} stands for {len(leaves)} fences, found room for {room}")
        fences = tuple(map(info_of, leaves))
        status = next((fence.status for fence in fences if fence.status <= 0), 1)
        return SyncFileInfo(self.name, status, len(fences), fences)

    def set_deadline(self, when_ns: int) -> None:
        """Hint that somebody wants it by `when_ns`, which may be past. Any context.

        Raises OSError: EBADF when closed, EINVAL for a negative point in time.
        """
        self._check_open()
        if when_ns < 0:
            raise OSError(errno.EINVAL, f"{self!r} got a deadline at {when_ns} ns, expected 0 or more")
        self.fence.set_deadline(when_ns)

    def close(self) -> None:
        """Take back what was added to the fence, and close the descriptor. Idempotent; any context."""
        with self._lock:
            self._closed = True
            descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            self.fence.remove_callback(descriptor.make_readable, wait=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if self._descriptor is not None:
            warnings.warn(f"{self!r} was dropped with its descriptor open", ResourceWarning, source=self, stacklevel=1)

    def _check_open(self) -> None:
        if self._closed:
            raise OSError(errno.EBADF, f"{self!r} is closed")

    def __repr__(self) -> str:
        return f"<SyncFile {self.name or 'anonymous'} of {self.fence!r}>"


class Descriptor:
    """A descriptor that becomes readable, and is closed when nobody has it any more.

    So a signaller that is about to make it readable never writes to whatever got the same number after it was closed.

    Args:
        number: what is polled.
        writer: what makes it readable; an eventfd is both.
    """

    __slots__ = ("_writer", "number")

    def __init__(self, number: int, writer: int) -> None:
        self.number = number
        self._writer = writer

    def make_readable(self, _fence: Fence) -> None:
        """Make it readable for good. Called once, at the signal; never blocks."""
        os.write(self._writer, MANY)

    def __del__(self) -> None:
        for end in {self.number, self._writer}:
            os.close(end)


def open_ends() -> tuple[int, int]:
    """Open what is polled and what is written to."""
    if sys.platform != "linux":
        return os.pipe()
    # Each read of a semaphore takes one, so nobody who reads it takes the signal from the others.
    end = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK | os.EFD_SEMAPHORE)
    return end, end


def info_of(fence: Fence) -> FenceInfo:
    """Tell of one fence."""
    # Status first: once it says so, there is a timestamp.
    status = fence.status
    return FenceInfo(
        type(fence).__name__, fence.name or f"context {fence.context}", status, fence.timestamp_ns if status else 0
    )
