"""The files that every control group has. See `files`."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from fencepost.actors.cgroups.text import Refusal, number

if TYPE_CHECKING:
    from fencepost.actors.cgroups.cgroup import Cgroup

__all__ = [
    "read_controllers",
    "read_events",
    "read_procs",
    "read_subtree_control",
    "write_procs",
    "write_subtree_control",
]

PID_MAX = 2**31 - 1


def read_controllers(group: Cgroup) -> str:
    """Name the controllers that the group could enable for its children."""
    return "drm\n" if group.drm is not None else "\n"


def read_subtree_control(group: Cgroup) -> str:
    """Name the controllers that its children have."""
    return "drm\n" if group.enabled else "\n"


def write_subtree_control(group: Cgroup, text: str) -> None:
    """Enable and disable controllers: `+drm`, `-drm`. Of several words about one, the last counts."""
    enabled = group.enabled
    for word in text.split():
        if word not in {"+drm", "-drm"}:
            raise Refusal(errno.EINVAL, "+drm or -drm")
        enabled = word == "+drm"
    if enabled and not group.enabled:
        _enable(group)
    elif group.enabled and not enabled:
        _disable(group)


def _enable(group: Cgroup) -> None:
    if group.drm is None:
        raise Refusal(errno.ENOENT, "a controller that cgroup.controllers lists")
    if group.processes and group.parent is not None:
        raise Refusal(errno.EBUSY, f"no processes in the group: {len(group.processes)} must move to groups in it first")
    group.enabled = True
    for child in group.children.values():
        group.cgroups.control_locked(child)


def _disable(group: Cgroup) -> None:
    for child in group.children.values():
        if child.enabled:
            raise Refusal(errno.EBUSY, f"that {child.path} has disabled it before")
    group.enabled = False
    for child in group.children.values():
        group.cgroups.release_locked(child)


def read_procs(group: Cgroup) -> str:
    """List the processes in the group itself."""
    return "".join(f"{pid}\n" for pid in sorted(group.processes))


def write_procs(group: Cgroup, text: str) -> None:
    """Move a process into the group, by its number."""
    try:
        pid = number(text, 0, PID_MAX)
    except Refusal as refusal:
        raise Refusal(errno.EINVAL, "the number of a process") from refusal
    process = group.cgroups.process_locked(pid)
    if process is None:
        raise Refusal(errno.ESRCH, "the number of a process that has not exited")
    group.admit_locked(process)


def read_events(group: Cgroup) -> str:
    """Tell whether there is a process in the group or below."""
    return f"populated {int(_populated(group))}\nfrozen 0\n"


def _populated(group: Cgroup) -> bool:
    return bool(group.processes) or any(map(_populated, group.children.values()))
