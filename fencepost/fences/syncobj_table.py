"""Handles of syncobjs: what a client has, and the calls it makes, refused as the kernel refuses them.

The calls are the ioctls of DRM_IOCTL_SYNCOBJ_*, with their flags and errno. What differs, or was decided:

- Where versions of the kernel differ, this is the latest: a wait for no handles answers at once; AVAILABLE without
  FOR_SUBMIT waits for what was not submitted.
- EFAULT, ENOMEM and EOPNOTSUPP have no counterpart. A file is imported as an object, not by its number.
- A handle is not used again, so a stale one is always refused.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Final

from fencepost.fences.interrupt import Interrupt
from fencepost.fences.sync_file import SyncFile
from fencepost.fences.syncobj import Syncobj
from fencepost.fences.syncobj_arguments import check_flags, check_pad, check_point, check_points, naming, signed
from fencepost.fences.syncobj_eventfd import Fd, register_eventfd
from fencepost.fences.syncobj_file import SyncobjFile
from fencepost.fences.syncobj_flags import CreateFlags, ExportFlags, ImportFlags, QueryFlags, WaitFlags
from fencepost.fences.syncobj_wait import wait_points
from fencepost.sync.world import current

__all__ = ["SyncobjTable"]

FILE_POINT: Final = ExportFlags.SYNC_FILE | ExportFlags.TIMELINE
WAIT_FLAGS: Final = WaitFlags.ALL | WaitFlags.FOR_SUBMIT | WaitFlags.DEADLINE


class SyncobjTable:
    """The syncobjs of one client, by handle.

    Every call is of client or actor context; those that block say so. What is refused raises OSError with the errno
    of the ioctl, and has changed nothing. `pad` is the reserved field of the ioctl's argument: anything but 0 is
    EINVAL.

    `_lock` protects the handles and how far they were counted; a leaf.

    Args:
        name: of the client, for reports.
    """

    def __init__(self, name: str = "client") -> None:
        self.name = name
        self._lock = current().lock()
        self._syncobjs: dict[int, Syncobj] = {}
        self._last_handle = 0

    # Handles.

    def create(self, flags: int = 0) -> int:
        """Make a syncobj and return its handle. Raises OSError EINVAL for flags that are not `CreateFlags`."""
        with self._call("create"):
            check_flags(flags, CreateFlags.SIGNALED)
        handle = self._new_handle()
        syncobj = Syncobj(f"syncobj {handle} of {self.name}")
        if flags:
            syncobj.signal()
        self._enter(handle, syncobj)
        return handle

    def destroy(self, handle: int, *, pad: int = 0) -> None:
        """Give a handle back. Waits that are under way, exported files and other handles keep the syncobj.

        Raises OSError EINVAL for an unknown handle.
        """
        with self._call("destroy", handle):
            check_pad(pad)
            with self._lock:
                known = self._syncobjs.pop(handle, None)
            if known is None:
                raise unknown(handle, errno.EINVAL)

    def handle_to_fd(self, handle: int, flags: int = 0, *, point: int = 0, pad: int = 0) -> SyncobjFile | SyncFile:
        """Return the syncobj as a file, or with SYNC_FILE the fence that it has now. The caller closes it.

        Raises OSError: EINVAL for wrong flags, or a point without SYNC_FILE and TIMELINE. For a syncobj: EINVAL for
        an unknown handle. For a fence: ENOENT for an unknown handle, EINVAL when there is none at the point.
        """
        with self._call("handle_to_fd", handle):
            check_pad(pad)
            check_flags(flags, FILE_POINT)
            check_file_point(flags, point)
            if not flags & ExportFlags.SYNC_FILE:
                return SyncobjFile(self._look_up(handle, errno.EINVAL))
            syncobj = self._look_up(handle)
            return SyncFile(syncobj.find_fence(point), syncobj.name)

    def fd_to_handle(self, file: object, flags: int = 0, *, handle: int = 0, point: int = 0, pad: int = 0) -> int:
        """Return a new handle of an exported syncobj; with SYNC_FILE, put a fence into that of `handle`, at `point`.

        Raises OSError: EINVAL for wrong flags, a point without SYNC_FILE and TIMELINE, or what is no open file of
        that kind; ENOENT for an unknown handle.
        """
        with self._call("fd_to_handle", handle):
            check_pad(pad)
            check_flags(flags, ImportFlags.SYNC_FILE | ImportFlags.TIMELINE)
            check_file_point(flags, point)
            if flags & ImportFlags.SYNC_FILE:
                self._import_fence(file, handle, point)
                return handle
            if not isinstance(file, SyncobjFile) or file.closed:
                raise OSError(errno.EINVAL, f"found {file!r}, expected an open file of a syncobj")
            handle = self._new_handle()
            self._enter(handle, file.syncobj)
            return handle

    # Waiting.

    def wait(
        self,
        handles: Sequence[int],
        timeout_ns: int,
        flags: int = 0,
        *,
        deadline_ns: int = 0,
        interrupt: Interrupt | None = None,
    ) -> int | None:
        """Block until any of these has signalled. What is returned, and all else, is told in `wait_points`.

        Args:
            handles: which. For none it answers at once.
            timeout_ns: when to give up: a point on the world's clock, not a duration. What is past only looks, and so
                does what is negative as a signed number of 64 bits.
            flags: `WaitFlags` except AVAILABLE.
            deadline_ns: with DEADLINE, what the fences are told.
            interrupt: ends the wait.

        Raises:
            OSError: EINVAL for wrong flags, or for a syncobj without a fence unless FOR_SUBMIT; ENOENT for an unknown
                handle; ETIME when it was given up; EINTR when interrupted.
        """
        with self._call("wait", *handles):
            check_flags(flags, WAIT_FLAGS)
            wanted = [(self._look_up(handle), 0) for handle in handles]
            return wait_points(wanted, flags, signed(timeout_ns), deadline_ns=deadline_ns, interrupt=interrupt)

    def timeline_wait(
        self,
        handles: Sequence[int],
        points: Sequence[int],
        timeout_ns: int,
        flags: int = 0,
        *,
        deadline_ns: int = 0,
        interrupt: Interrupt | None = None,
    ) -> int | None:
        """As `wait`, for a point of each, and with AVAILABLE."""
        with self._call("timeline_wait", *handles):
            check_flags(flags, WAIT_FLAGS | WaitFlags.AVAILABLE)
            check_points(points, len(handles))
            wanted = list(zip(map(self._look_up, handles), points, strict=True))
            return wait_points(wanted, flags, signed(timeout_ns), deadline_ns=deadline_ns, interrupt=interrupt)

    def eventfd(self, handle: int, fd: Fd, *, point: int = 0, flags: int = 0, pad: int = 0) -> None:
        """Have an eventfd notified once a point is complete, or with AVAILABLE submitted: see `register_eventfd`.

        Raises OSError: EINVAL for wrong flags or another kind of file; ENOENT for an unknown handle; EBADF for no
        open file.
        """
        with self._call("eventfd", handle):
            check_flags(flags, WaitFlags.AVAILABLE)
            check_pad(pad)
            register_eventfd(self._look_up(handle), fd, point, available=bool(flags))

    # Changing and asking.

    def reset(self, handles: Sequence[int], *, pad: int = 0) -> None:
        """Empty each of these. Raises OSError: EINVAL for no handles, ENOENT for an unknown one."""
        with self._call("reset", *handles):
            check_pad(pad)
            for syncobj in self._look_up_some(handles):
                syncobj.reset()

    def signal(self, handles: Sequence[int], *, pad: int = 0) -> None:
        """Put a fence that has signalled into each of these. Raises as `reset`."""
        with self._call("signal", *handles):
            check_pad(pad)
            for syncobj in self._look_up_some(handles):
                syncobj.signal()

    def timeline_signal(self, handles: Sequence[int], points: Sequence[int] | None = None, flags: int = 0) -> None:
        """Add a point to each of these that waits for nothing but those before it; without points, 0 to each.

        Raises OSError: EINVAL for flags, no handles or wrong points; ENOENT for an unknown handle.
        """
        with self._call("timeline_signal", *handles):
            check_flags(flags, 0)
            points = [0] * len(handles) if points is None else points
            check_points(points, len(handles))
            for syncobj, point in zip(self._look_up_some(handles), points, strict=True):
                syncobj.signal_point(point)

    def query(self, handles: Sequence[int], flags: int = 0) -> list[int]:
        """Return how far each of these timelines is complete, or with LAST_SUBMITTED submitted.

        Raises OSError: EINVAL for wrong flags or no handles, ENOENT for an unknown one.
        """
        with self._call("query", *handles):
            check_flags(flags, QueryFlags.LAST_SUBMITTED)
            return [syncobj.query(last_submitted=bool(flags)) for syncobj in self._look_up_some(handles)]

    def transfer(
        self,
        source: int,
        destination: int,
        *,
        source_point: int = 0,
        point: int = 0,
        flags: int = 0,
        pad: int = 0,
        interrupt: Interrupt | None = None,
    ) -> None:
        """Give what a point of `source` waits for to `destination`, at `point`. With FOR_SUBMIT it blocks, up to 5 s.

        Raises OSError: EINVAL for wrong flags or a point that is not there; ENOENT for an unknown handle; with
        FOR_SUBMIT, ETIME when the point did not come and EINTR when interrupted.
        """
        with self._call("transfer", source, destination):
            check_pad(pad)
            check_flags(flags, WaitFlags.FOR_SUBMIT)
            target, origin = self._look_up(destination), self._look_up(source)
            target.transfer(origin, source_point, point, for_submit=bool(flags), interrupt=interrupt)

    # What they have in common.

    def _call(self, call: str, *handles: int) -> AbstractContextManager[None]:
        return naming(f"{self.name}.{call}", *handles)

    def _import_fence(self, file: object, handle: int, point: int) -> None:
        if not isinstance(file, SyncFile) or file.closed:
            raise OSError(errno.EINVAL, f"found {file!r}, expected an open sync file")
        syncobj = self._look_up(handle)
        if point:
            syncobj.add_point(file.fence, point)
        else:
            syncobj.replace(file.fence)

    def _new_handle(self) -> int:
        with self._lock:
            self._last_handle += 1
            return self._last_handle

    def _enter(self, handle: int, syncobj: Syncobj) -> None:
        with self._lock:
            self._syncobjs[handle] = syncobj

    def _look_up(self, handle: int, otherwise: int = errno.ENOENT) -> Syncobj:
        with self._lock:
            syncobj = self._syncobjs.get(handle)
        if syncobj is None:
            raise unknown(handle, otherwise)
        return syncobj

    def _look_up_some(self, handles: Sequence[int]) -> list[Syncobj]:
        """Look all of them up before any is changed."""
        if not handles:
            raise OSError(errno.EINVAL, "expected at least one")
        return [self._look_up(handle) for handle in handles]


def check_file_point(flags: int, point: int) -> None:
    """Refuse a point where no fence of a timeline is asked for."""
    check_point(point)
    if point and flags & FILE_POINT != FILE_POINT:
        raise OSError(errno.EINVAL, f"point {point} with flags {flags:#x}, expected 0 or flags {int(FILE_POINT):#x}")


def unknown(handle: int, number: int) -> OSError:
    """Make what is raised for a handle that is not there."""
    return OSError(number, f"no such handle: {handle!r}")
