"""Whoever opens devices: what a control group holds."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fencepost.actors.cgroups.cgroup import Cgroup
    from fencepost.actors.cgroups.client import Client
    from fencepost.actors.cgroups.hierarchy import Cgroups

__all__ = ["Process"]


class Process:
    """A process, which is in one control group, and its clients with it. Made by `Cgroups.process`.

    Life cycle: *running* -> *exiting* (opens nothing more) -> *exited* (in no group).

    All but its number and name is protected by the lock of the hierarchy.

    Attributes:
        pid: its number, as in `cgroup.procs`.
        name: what reports call it.
        group: the group that it is in; None when it has exited. Anybody may read it.
    """

    def __init__(self, cgroups: Cgroups, pid: int, name: str, group: Cgroup) -> None:
        self.pid = pid
        self.name = name
        self.group: Cgroup | None = group
        self._cgroups = cgroups
        self._exiting = False
        self._clients: dict[Client, None] = {}

    @property
    def clients(self) -> tuple[Client, ...]:
        """The clients it has open, in the order they came. Any context."""
        with self._cgroups.lock:
            return tuple(self._clients)

    def exit(self) -> None:
        """Close its clients and leave its group. Client context; blocks as `Client.close`; idempotent."""
        with self._cgroups.lock:
            self._exiting = True
        for client in self.clients:
            client.close()
        self._cgroups.leave(self)

    # For the hierarchy, under its lock.

    def admit_locked(self, client: Client) -> None:
        """Have a client. Raises OSError: ESRCH when it exits."""
        if self._exiting:
            raise OSError(errno.ESRCH, f"{self} has exited")
        self._clients[client] = None

    def clients_locked(self) -> tuple[Client, ...]:
        """Return the clients it has open."""
        return tuple(self._clients)

    def dismiss_locked(self, client: Client) -> None:
        """Have a client no more."""
        self._clients.pop(client, None)

    def __repr__(self) -> str:
        return f"<Process {self.pid} {self.name}>"
