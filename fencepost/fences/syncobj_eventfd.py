"""An eventfd that hears of a point of a syncobj, so that whatever polls descriptors can wait for it."""

from __future__ import annotations

import errno
import os
import select
from pathlib import Path
from typing import Protocol, TypeAlias

from fencepost.fences.fence import Fence
from fencepost.fences.syncobj import Syncobj
from fencepost.fences.syncobj_arguments import check_point

__all__ = ["Fd", "HasFileno", "register_eventfd"]


class HasFileno(Protocol):
    """A file."""

    def fileno(self) -> int:
        """Return its descriptor."""
        ...


Fd: TypeAlias = int | HasFileno


def register_eventfd(syncobj: Syncobj, fd: Fd, point: int = 0, *, available: bool = False) -> None:
    """Have 1 added to an eventfd once, when a point is complete; that may be at once. Any context.

    The eventfd may be closed by its owner meanwhile. When the syncobj goes before the point was submitted, nothing is
    added.

    Args:
        syncobj: where.
        fd: an eventfd or its number.
        point: which; 0 is all there is, as soon as there is something.
        available: not when it is complete, when it was submitted.

    Raises:
        OSError: EBADF for no open file, EINVAL for one that is no eventfd, or a point beyond 64 bits.
            (kernel: drm_syncobj_eventfd_ioctl)
    """
    check_point(point)
    notice = Notice(fd, available=available)
    fence = syncobj.seek(point, notice.found)
    if fence is not None:
        notice.found(fence)


class Notice:
    """An eventfd that is to be notified once. It keeps a descriptor of its own, and closes it when it goes."""

    __slots__ = ("_available", "_fd")

    def __init__(self, fd: Fd, *, available: bool) -> None:
        self._fd = own_eventfd(fd)
        self._available = available

    def found(self, fence: Fence) -> None:
        """Notify when the fence signals, or at once. In the submitter's context."""
        if self._available or not fence.add_callback(self.notify):
            self.notify(fence)

    def notify(self, _fence: Fence) -> None:
        """Add 1, unless so much is in it that this would block: then it is readable anyhow. Any context."""
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        if poll.poll(0):
            os.eventfd_write(self._fd, 1)

    def __del__(self) -> None:
        if hasattr(self, "_fd"):
            os.close(self._fd)


def own_eventfd(fd: Fd) -> int:
    """Return a new descriptor of an eventfd. Raises OSError: EBADF for no open file, EINVAL for another file."""
    try:
        own = os.dup(fd if isinstance(fd, int) else fd.fileno())
    except (OSError, ValueError) as error:
        raise OSError(errno.EBADF, f"{fd!r} is no open file, expected an eventfd") from error
    if not is_eventfd(own):
        os.close(own)
        raise OSError(errno.EINVAL, f"{fd!r} is another kind of file, expected an eventfd")
    return own


def is_eventfd(number: int) -> bool:
    """Ask the system what kind of file it is."""
    try:
        return "eventfd-count" in Path(f"/proc/self/fdinfo/{number}").read_text("ascii")
    except OSError:
        return False
