"""One control group: a directory with its files."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from fencepost.actors.cgroups.client import Client
from fencepost.actors.cgroups.files import FILES, file_of
from fencepost.actors.cgroups.process import Process
from fencepost.actors.cgroups.text import Refusal

if TYPE_CHECKING:
    from fencepost.actors.cgroups.drm_state import DrmState
    from fencepost.actors.cgroups.hierarchy import Cgroups

__all__ = ["Cgroup"]

NAME_MAX: Final = 255
SHOWN: Final = 40


class Cgroup:
    """A control group, as cgroup v2 has it. The root is made with the hierarchy, the others by `mkdir`.

    Life cycle: *alive* -> *removed* (`rmdir`; then everything but looking at it is refused with ENODEV).

    All methods are client context, by any number of threads, and never wait for anything but a lock. All fields but the
    name are protected by the lock of the hierarchy; what ends in `_locked` is called under it.

    Attributes:
        name: the last part of its path; empty for the root.
        parent: the group it was made in, or None.
        children: the groups in it, by name.
        processes: those in it, not those in groups below, by pid.
        enabled: whether the children are controlled: `drm` in `cgroup.subtree_control`.
        drm: what the drm controller keeps for it; None where the parent does not enable that.
    """

    def __init__(self, cgroups: Cgroups, name: str, parent: Cgroup | None, drm: DrmState | None) -> None:
        self.name = name
        self.parent = parent
        self.cgroups = cgroups
        self.children: dict[str, Cgroup] = {}
        self.processes: dict[int, Process] = {}
        self.enabled = False
        self.removed = False
        self.drm = drm

    @property
    def path(self) -> str:
        """Its path from the root: `/` or `/browser/tab`."""
        if self.parent is None:
            return "/"
        return f"{self.parent.path.rstrip('/')}/{self.name}"

    @property
    def controlled(self) -> bool:
        """Whether it has files of the drm controller."""
        return self.drm is not None

    def governing_locked(self) -> DrmState:
        """Return what governs its processes: its own state of the controller, or the nearest above that is there."""
        state = self.drm
        if state is None:
            assert self.parent is not None
            state = self.parent.governing_locked()
        return state

    # The tree.

    def mkdir(self, name: str) -> Cgroup:
        """Make a group in this one.

        Raises:
            OSError: EEXIST when there is a group or a file of this name; ENOENT for an empty one, EINVAL for one with a
                slash or a line break, ENAMETOOLONG for more than 255 bytes; ENODEV when this group was removed.
        """
        with self.cgroups.lock:
            self._check_alive("mkdir")
            self._check_name(name)
            child = Cgroup(self.cgroups, name, self, None)
            self.children[name] = child
            if self.enabled:
                self.cgroups.control_locked(child)
        return child

    def rmdir(self) -> None:
        """Remove the group, which must be empty.

        Raises:
            OSError: EBUSY while it has groups or processes in it, and for the root; ENODEV when it was removed before.
        """
        with self.cgroups.lock:
            self._check_alive("rmdir")
            if self.parent is None:
                raise OSError(errno.EBUSY, f"{self.path}: the root of the hierarchy cannot be removed")
            if self.children or self.processes:
                raise OSError(
                    errno.EBUSY, f"{self.path}: has {len(self.children)} groups and {len(self.processes)} processes"
                )
            if self.drm is not None:
                self.cgroups.release_locked(self)
            self.removed = True
            del self.parent.children[self.name]

    def attach(self, member: Client | Process) -> None:
        """Move a process into this group, as a whole: a client brings along what else its process has open.

        What it has used stays with the group that it was in; from now on this one is charged.

        Raises:
            OSError: EBUSY when this group controls groups in it, and is not the root; ESRCH when the process has
                exited, or the client was closed; ENODEV when this group was removed.
        """
        with self.cgroups.lock:
            self._check_alive("attach")
            self.admit_locked(member.process if isinstance(member, Client) else member)

    def admit_locked(self, process: Process) -> None:
        """Take a process in, from wherever it is."""
        if process.group is None:
            raise OSError(errno.ESRCH, f"{self.path}: {process} has exited")
        if process.group is self:
            return
        if self.enabled and self.parent is not None:
            raise OSError(
                errno.EBUSY, f"{self.path}: controls the groups in it, so processes belong into these, not beside them"
            )
        del process.group.processes[process.pid]
        self.processes[process.pid] = process
        process.group = self
        self.cgroups.govern_locked(process, self.governing_locked())

    # The files.

    def files(self) -> tuple[str, ...]:
        """Name the files it has."""
        return tuple(name for name, file in FILES.items() if file.is_in(self))

    def read(self, name: str) -> str:
        """Read a file, with a line break after each line.

        Raises:
            OSError: ENOENT when it has no such file, ENODEV when the group was removed.
        """
        with self.cgroups.lock:
            self._check_alive(name)
            return file_of(self, name).read(self)

    def write(self, name: str, text: str) -> None:
        """Write a file. What is written counts when this returns; a controller is told by a message.

        Raises:
            OSError: ENOENT when it has no such file; EINVAL when that cannot be written, or `text` is not what it
                takes; ERANGE for a number out of range; ENODEV when the group was removed, or a device is unknown; for
                `cgroup.procs` as `attach`; for `cgroup.subtree_control` ENOENT when the controller is not available
                here, EBUSY when there are processes in the group, or a group in it enables what is to be disabled.
        """
        with self.cgroups.lock:
            self._check_alive(name)
            file = file_of(self, name)
            try:
                file.write(self, text)
            except Refusal as refusal:
                shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
                raise OSError(
                    refusal.errno, f"{self.path} {name}: found {shown!r}, expected {refusal.expected}"
                ) from None

    def _check_alive(self, what: str) -> None:
        if self.removed:
            raise OSError(errno.ENODEV, f"{self.path} {what}: the group was removed")

    def _check_name(self, name: str) -> None:
        if name in self.children or name in FILES or name in {".", ".."}:
            raise OSError(errno.EEXIST, f"{self.path}: has {name!r} already")
        if not name:
            raise OSError(errno.ENOENT, f"{self.path}: a group needs a name")
        if "/" in name or "\n" in name:
            raise OSError(errno.EINVAL, f"{self.path}: {name!r} has a slash or a line break")
        if len(name.encode()) > NAME_MAX:
            raise OSError(errno.ENAMETOOLONG, f"{self.path}: a name of {len(name.encode())} bytes, at most {NAME_MAX}")

    def __repr__(self) -> str:
        return f"<Cgroup {self.path}{' removed' if self.removed else ''}>"
