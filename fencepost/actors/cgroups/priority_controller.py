"""Static priorities: the first of the two controllers of 2022."""

from __future__ import annotations

from typing import ClassVar

from fencepost.actors.cgroups.controller import CgroupController
from fencepost.actors.cgroups.messages import Governed, Reprioritised
from fencepost.policies.cgroup.rfc_priority import effective_priority

__all__ = ["PriorityController"]


class PriorityController(CgroupController):
    """Has drivers know the effective priority of each client's group.

    A client is told of its group's when it comes, when it moves, and when that of the group or one above is written.
    """

    def on_governed(self, message: Governed) -> None:
        """Tell a client's driver, which may have had another group, or have another entity."""
        super().on_governed(message)
        message.client.operations.update_priority(effective_priority(message.client.group))

    def on_reprioritised(self, message: Reprioritised) -> None:
        """Tell the drivers of all clients below."""
        for client in self._cgroups.clients_below(message.state.group):
            client.operations.update_priority(effective_priority(client.group))

    messages: ClassVar = {
        **CgroupController.messages,
        Governed: on_governed,
        Reprioritised: on_reprioritised,
    }
