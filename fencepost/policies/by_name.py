"""The policies by the names that options and scenario files use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from fencepost.errors import BadInput
from fencepost.policies.fair import Fair
from fencepost.policies.fifo import Fifo
from fencepost.policies.round_robin import RoundRobin
from fencepost.policies.run_queue import Policy, RunQueue
from fencepost.policies.single_entity import SingleEntity

__all__ = ["POLICIES", "new_run_queue"]

POLICIES: Final[Mapping[str, Callable[[], Policy]]] = MappingProxyType({"rr": RoundRobin, "fifo": Fifo, "fair": Fair})
"""How entities can share a scheduler."""

SINGLE: Final = "single"
"""They do not: each has one for itself. So it is no choice for a workload, only for who lays out the schedulers."""


def new_run_queue(policy: str, *, where: str = "policy") -> RunQueue[Any] | SingleEntity[Any]:
    """Make an empty run queue that is ordered by the policy of this name.

    Args:
        policy: a key of `POLICIES`, or "single".
        where: the option or field that holds the name, for the message.

    Raises:
        BadInput: there is no such policy.
    """
    if policy == SINGLE:
        return SingleEntity()
    if policy not in POLICIES:
        raise BadInput(where, repr(policy), f"one of {', '.join(POLICIES)}, {SINGLE}")
    return RunQueue(POLICIES[policy]())
