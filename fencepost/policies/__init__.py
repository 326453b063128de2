"""Pure decisions: who runs next, and where; and who pays when something hangs.

    priority, ewma, group  <-  run_queue  <-  run_order, round_robin, fifo, fair, single_entity  <-  by_name, cgroups
    balance, recovery        each on its own

A `RunQueue` is the mechanism: it keeps the nodes that have jobs in order and skips those whose head job is not ready. A
`Policy` is what differs: it gives the keys of that order. `cgroups` has what divides GPU time among control groups,
`resources` what else jobs need before they run, and in which order they get it.
Nothing here locks, blocks, reads a clock or starts a thread, so the same objects serve every world. Whoever owns a run
queue serialises the calls on it and on its nodes.
"""

from __future__ import annotations

from fencepost.policies.balance import least_loaded
from fencepost.policies.by_name import POLICIES, new_run_queue
from fencepost.policies.ewma import Ewma
from fencepost.policies.fair import Fair
from fencepost.policies.fifo import Fifo
from fencepost.policies.group import Group
from fencepost.policies.priority import Priority
from fencepost.policies.recovery import RECOVERIES, EngineReset, FullReset, Health, KillVm, RecoveryPolicy, new_recovery
from fencepost.policies.round_robin import RoundRobin
from fencepost.policies.run_order import RunOrder
from fencepost.policies.run_queue import Key, Node, Policy, RunQueue, RunQueueStatistics
from fencepost.policies.single_entity import SingleEntity

__all__ = [
    "POLICIES",
    "RECOVERIES",
    "EngineReset",
    "Ewma",
    "Fair",
    "Fifo",
    "FullReset",
    "Group",
    "Health",
    "Key",
    "KillVm",
    "Node",
    "Policy",
    "Priority",
    "RecoveryPolicy",
    "RoundRobin",
    "RunOrder",
    "RunQueue",
    "RunQueueStatistics",
    "SingleEntity",
    "least_loaded",
    "new_recovery",
    "new_run_queue",
]
