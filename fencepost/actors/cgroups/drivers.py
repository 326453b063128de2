"""What drivers do for a controller: a table of operations for each client."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from fencepost.actors.cgroups.client import Client

__all__ = ["Driver"]


class Driver:
    """A driver that does nothing for a controller; others override what they do. There is one for each client.

    The operations are called by the actor of the controller, and never block; files ask `priority_levels` and
    `budget_supported` at any time. (kernel: struct drm_cgroup_ops)

    Args:
        client: for whom.
    """

    name: ClassVar = "generic"
    """Its `drm-driver`."""

    engine_keys: ClassVar[Mapping[str, str]] = {}
    """What it calls a class of engines in fdinfo, where that is not its name."""

    budget_supported: ClassVar[bool] = False
    """Whether it can be told of budgets."""

    clock_khz: ClassVar[int | None] = None
    """The clock that it counts usage by; None counts in ns."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def priority_levels(self) -> int:
        """How many priorities it can tell apart; 0 is none."""
        return 0

    def update_priority(self, priority: int) -> None:
        """Take a new effective priority."""

    @staticmethod
    def update_weights(weights: Mapping[Driver, int]) -> None:
        """Take the weights of all clients of a card, each one's part of its siblings' sum in 1024ths."""

    def active_time_us(self) -> int | None:
        """Return how long engines were busy with the client's work; None when it does not count that."""
        return None

    def signal_budget(self, used_us: int, budget_us: int) -> int:  # noqa: ARG002 - the contract
        """Be told what was used of a budget.

        Returns:
            1 when it throttles the client now, 0 when not, -EINVAL when it cannot.
        """
        return -errno.EINVAL
