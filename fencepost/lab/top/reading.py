"""What can be read from outside at one moment: fdinfo of each client, and files of each control group.

As a top of a real system does, it lists processes and groups first and then reads one text after the other; what has
gone by then is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from fencepost.actors.cgroups import Cgroup, Cgroups
from fencepost.lab.top.fdinfo_text import Fdinfo, parse_fdinfo
from fencepost.sync import current

__all__ = ["ClientReading", "GroupReading", "Reading", "read", "usage_us"]


@dataclass(frozen=True, slots=True)
class ClientReading:
    """An open device: which, whose, and what it tells."""

    minor: int
    pid: int
    fdinfo: Fdinfo


@dataclass(frozen=True, slots=True)
class GroupReading:
    """A control group.

    Attributes:
        weight: the first line of its `drm.weight` without `default`; None where there is no such file.
        usage_us: of its `drm.stat`; None where there is no such file.
    """

    weight: int | None
    usage_us: int | None


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read at one moment.

    Attributes:
        time_ns: when, on the clock of the world.
        clients: minor of the device and id of the client -> what it tells.
        groups: path -> what it tells; each after its parent, the root first.
    """

    time_ns: int
    clients: Mapping[tuple[int, int], ClientReading]
    groups: Mapping[str, GroupReading]


def read(cgroups: Cgroups) -> Reading:
    """Read everything. Client context."""
    clients: dict[tuple[int, int], ClientReading] = {}
    for client in cgroups.clients:
        # The number of the device and of the process are where the text is, not in it.
        minor, fdinfo = client.card.number, parse_fdinfo(client.fdinfo())
        clients[minor, fdinfo.client_id] = ClientReading(minor, client.process.pid, fdinfo)
    groups = {group.path: _read_group(group) for group in _walk(cgroups, cgroups.root)}
    return Reading(current().now_ns(), clients, groups)


def usage_us(stat: str) -> int:
    """Return how much GPU time a `drm.stat` tells of."""
    return next(int(line.split()[1]) for line in stat.splitlines() if line.startswith("usage_usec "))


def _walk(cgroups: Cgroups, group: Cgroup) -> Iterator[Cgroup]:
    yield group
    with cgroups.lock:
        children = sorted(group.children.values(), key=lambda child: child.name)
    for child in children:
        yield from _walk(cgroups, child)


def _read_group(group: Cgroup) -> GroupReading:
    weight = stat = None
    with suppress(OSError):  # it has no such file, or is gone
        weight = int(group.read("drm.weight").splitlines()[0].removeprefix("default "))
    with suppress(OSError):
        stat = usage_us(group.read("drm.stat"))
    return GroupReading(weight, stat)
