"""The controllers by the names that options and scenario files use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from fencepost.actors.cgroups.budget_controllers import BudgetController, FaithfulBudgetController, SharingController
from fencepost.actors.cgroups.controller import CgroupController
from fencepost.actors.cgroups.priority_controller import PriorityController
from fencepost.actors.cgroups.weight_controller import WeightController
from fencepost.errors import BadInput
from fencepost.policies import Policy, RunOrder, RunQueue, new_run_queue
from fencepost.policies.cgroups.hweight import HierarchicalWeight
from fencepost.policies.cgroups.v8 import WeightedFair

__all__ = ["CONTROLLERS", "check_controller", "run_queue_under"]

CONTROLLERS: Final[Mapping[str, type[CgroupController]]] = MappingProxyType(
    {
        "none": CgroupController,
        "rfc-priority": PriorityController,
        "rfc-priority-faithful": PriorityController,
        "rfc-budget": BudgetController,
        "rfc-budget-faithful": FaithfulBudgetController,
        "v6": SharingController,
        "v8": WeightController,
        "hweight": CgroupController,
    }
)
"""Who divides GPU time among control groups; `-faithful` is with the faults of the first posting."""


ORDERS: Final[Mapping[str, Callable[[], RunOrder[Any]]]] = MappingProxyType(
    {"v8": lambda: RunQueue(WeightedFair()), "hweight": HierarchicalWeight}
)
"""Those that order what a scheduler runs."""


def check_controller(name: str) -> None:
    """Raise BadInput when there is no controller of this name."""
    if name not in CONTROLLERS:
        raise BadInput("controller", repr(name), f"one of {', '.join(CONTROLLERS)}")


def run_queue_under(controller: str, policy: str | Policy) -> RunOrder[Any]:
    """Make the run queue of a scheduler that entities share by a policy, and groups by a controller.

    Raises:
        BadInput: there is no such policy, or the controller does not leave the choice.
    """
    order = ORDERS.get(controller)
    if order is None or policy == "single":
        return new_run_queue(policy) if isinstance(policy, str) else RunQueue(policy)
    if policy != "fair":
        raise BadInput("policy", repr(policy), f"fair or single under the controller {controller}, which changes fair")
    return order()
