"""Static priorities: the first of the two controllers of 2022."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from fencepost.actors.cgroups.controller import CgroupController
from fencepost.actors.cgroups.messages import Governed, Reprioritised

if TYPE_CHECKING:
    from fencepost.actors.cgroups.client import Client

__all__ = ["PriorityController"]


class PriorityController(CgroupController):
    """Has drivers know the effective priority of each client's group.

    A client is told of its group's when it comes, when it moves, and when that of the group or one above is written.
    """

    def on_governed(self, message: Governed) -> None:
        """Tell a client's driver, which may have had another group, or have another entity."""
        super().on_governed(message)
        self._update(message.client)

    def on_reprioritised(self, message: Reprioritised) -> None:
        """Tell the drivers of all clients below."""
        for client in self._cgroups.clients_below(message.state.group):
            self._update(client)

    def _update(self, client: Client) -> None:
        client.operations.update_priority(self._cgroups.priorities.effective(client.group))

    messages: ClassVar = {
        **CgroupController.messages,
        Governed: on_governed,
        Reprioritised: on_reprioritised,
    }
