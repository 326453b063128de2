"""A driver like xe: a firmware schedules, and knows priorities only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fencepost.actors.cgroups.drivers import Driver
from fencepost.policies import Priority

__all__ = ["Xe"]


class Xe(Driver):
    """Has the priorities of its queues follow: all of them that of the group, or that of the client's place among all.

    See `Driver`.
    """

    name = "xe"
    clock_khz: ClassVar[int | None] = 19_200

    def priority_levels(self) -> int:
        return 3

    def update_priority(self, priority: int) -> None:
        """Raise or lower all queues."""
        level = Priority.LOW if priority < 0 else Priority.HIGH if priority > 0 else Priority.NORMAL
        self.client.set_priorities(lambda _entity: level)

    @staticmethod
    def update_weights(weights: Mapping[Driver, int]) -> None:
        """Raise the queues of who weighs most of all clients of the card, and lower those of who weighs least."""
        least, most = min(weights.values()), max(weights.values())
        for driver, weight in weights.items():
            if least == most:
                priority = Priority.NORMAL
            else:
                priority = {least: Priority.LOW, most: Priority.HIGH}.get(weight, Priority.NORMAL)
            driver.client.set_priorities(lambda _entity, priority=priority: priority)  # type: ignore[misc]
