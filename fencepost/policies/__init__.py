"""Pure decisions: who runs next, and where.

    priority, ewma  <-  run_queue  <-  round_robin, fifo, fair  <-  by_name        (and balance, on its own)

A `RunQueue` is the mechanism: it keeps the nodes that have jobs in order and skips those whose head job is not ready. A
`Policy` is what differs: it gives the keys of that order. Nothing here locks, blocks, reads a clock or starts a thread,
so the same objects serve every world. Whoever owns a run queue serialises the calls on it and on its nodes.
"""

from __future__ import annotations

from fencepost.policies.balance import least_loaded
from fencepost.policies.by_name import POLICIES, new_run_queue
from fencepost.policies.ewma import Ewma
from fencepost.policies.fair import Fair
from fencepost.policies.fifo import Fifo
from fencepost.policies.priority import Priority
from fencepost.policies.round_robin import RoundRobin
from fencepost.policies.run_queue import Key, Node, Policy, RunQueue, RunQueueStatistics

__all__ = [
    "POLICIES",
    "Ewma",
    "Fair",
    "Fifo",
    "Key",
    "Node",
    "Policy",
    "Priority",
    "RoundRobin",
    "RunQueue",
    "RunQueueStatistics",
    "least_loaded",
    "new_run_queue",
]
