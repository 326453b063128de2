"""The control files: their names, where they are, and what reading and writing them does.

Each takes and gives what its counterpart in the kernel does; what `drm.` files of published series did differently
stands at the function. (kernel: struct cftype)
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from fencepost.actors.cgroups.core_files import (
    read_controllers,
    read_events,
    read_procs,
    read_subtree_control,
    write_procs,
    write_subtree_control,
)
from fencepost.actors.cgroups.drm_files import (
    read_budget_supported,
    read_effective_priority,
    read_max,
    read_period_us,
    read_priority,
    read_priority_levels,
    read_stat,
    read_weight,
    write_max,
    write_period_us,
    write_priority,
    write_weight,
)
from fencepost.actors.cgroups.text import Refusal

if TYPE_CHECKING:
    from fencepost.actors.cgroups.cgroup import Cgroup

__all__ = ["FILES", "File", "file_of"]


def refuse_write(_group: Cgroup, _text: str) -> None:
    """Refuse to write a file that can only be read."""
    raise Refusal(errno.EINVAL, "nothing: it cannot be written")


@dataclass(frozen=True, slots=True)
class File:
    """A control file. Its functions are called under the lock of the hierarchy.

    Attributes:
        read: gives its text.
        write: takes one, or raises Refusal, or an OSError that says more.
        on_root: whether the root has it.
        of_drm: whether only groups have it for which the controller is enabled.
    """

    read: Callable[[Cgroup], str]
    write: Callable[[Cgroup, str], None] = refuse_write
    on_root: bool = False
    of_drm: bool = True

    def is_in(self, group: Cgroup) -> bool:
        """Say whether a group has it."""
        if group.parent is None:
            return self.on_root
        return group.drm is not None or not self.of_drm


FILES: Final[Mapping[str, File]] = MappingProxyType(
    {
        "cgroup.controllers": File(read_controllers, on_root=True, of_drm=False),
        "cgroup.events": File(read_events, of_drm=False),
        "cgroup.procs": File(read_procs, write_procs, on_root=True, of_drm=False),
        "cgroup.subtree_control": File(read_subtree_control, write_subtree_control, on_root=True, of_drm=False),
        "drm.budget_supported": File(read_budget_supported),
        "drm.effective_priority": File(read_effective_priority),
        "drm.max": File(read_max, write_max),
        "drm.period_us": File(read_period_us, write_period_us),
        "drm.priority": File(read_priority, write_priority),
        "drm.priority_levels": File(read_priority_levels),
        "drm.stat": File(read_stat, on_root=True),
        "drm.weight": File(read_weight, write_weight),
    }
)
"""By name."""


def file_of(group: Cgroup, name: str) -> File:
    """Return a file of a group. Raises OSError: ENOENT when it has none of this name."""
    file = FILES.get(name)
    if file is None or not file.is_in(group):
        raise OSError(errno.ENOENT, f"{group.path}: has no file {name!r}{_hint(group, file)}")
    return file


def _hint(group: Cgroup, file: File | None) -> str:
    if file is None or group.parent is None:
        return ""
    return f"; write +drm to cgroup.subtree_control of {group.parent.path} first"
