"""A driver like amdgpu: its scheduler knows three priorities, and weighs entities."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from fencepost.actors.cgroups.drivers import Driver
from fencepost.policies import Priority

__all__ = ["Amdgpu"]


class Amdgpu(Driver):
    """Has its entities follow: their priority the sign of the group's, their weight that of the group. See `Driver`."""

    name = "amdgpu"
    engine_keys: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"rcs": "gfx", "ccs": "compute", "bcs": "dma", "vcs": "dec", "vecs": "vpe"}
    )

    def priority_levels(self) -> int:
        return 3

    def update_priority(self, priority: int) -> None:
        """Move each entity by one from what its context asked for, up or down."""
        step = (priority < 0) - (priority > 0)
        self.client.set_priorities(
            lambda entity: Priority(min(max(entity.priority + step, Priority.HIGH), Priority.LOW))
        )

    @staticmethod
    def update_weights(weights: Mapping[Driver, int]) -> None:
        """Have the scheduler's virtual time of each entity pass as its group weighs."""
        for driver, weight in weights.items():
            driver.client.set_cgroup_weight(weight)
