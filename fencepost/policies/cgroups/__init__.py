"""Who gets how much of a GPU, by control group: what was proposed for the kernel, and what we would do.

| module | controller | decides |
|---|---|---|
| `rfc_priority` | `rfc-priority`, 2022 | how important a group is, by the priorities down to it |
| `rfc_budget` | `rfc-budget`, 2022 | who is over budget, by a scan below each child of the root |
| `v6` | `v6`, 2023 | the same, by one scan of the tree; what is unused is lent |
| `v8` | `v8`, 2025 | how fast virtual time passes for each client, in the `fair` policy |
| `hweight` | `hweight`, ours | who is next, at each pick, by the whole tree |
| `level`, `cap`, `branch` | | what `hweight` is made of: virtual time among siblings, hard limits, the tree |
| `i915` | | what that driver makes of priorities and of the word that a client is over budget |

The budget scans have `begin`, `look` and `end`, and take what was used so far by group. Their owner sees to it that the
tree stands still meanwhile.
"""

from __future__ import annotations

from fencepost.policies.cgroups.branch import GroupStatistics
from fencepost.policies.cgroups.hweight import HierarchicalWeight
from fencepost.policies.cgroups.i915 import ClassUse, Throttle, request_priority
from fencepost.policies.cgroups.rfc_budget import BudgetSignal, RfcBudget
from fencepost.policies.cgroups.rfc_priority import RfcPriority, effective_priority
from fencepost.policies.cgroups.v6 import V6Budget
from fencepost.policies.cgroups.v8 import WeightedFair, relative_weights

__all__ = [
    "BudgetSignal",
    "ClassUse",
    "GroupStatistics",
    "HierarchicalWeight",
    "RfcBudget",
    "RfcPriority",
    "Throttle",
    "V6Budget",
    "WeightedFair",
    "effective_priority",
    "relative_weights",
    "request_priority",
]
