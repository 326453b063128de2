"""Weights for the scheduler's `fair` policy: the rewrite of 2025, versions 7 and 8.

The controller tells each client what part its group has of what its siblings have together, in 1024ths; the policy lets
virtual time pass more slowly for who has more. What comes of it is not what the weights ask for:

- an ancestor's weight counts for nothing;
- time passes at 1 less the part, which is in proportion only between two siblings: weights of 200, 100 and 100 give
  1.5 : 1 : 1;
- for a group that is alone among its siblings it stands still, so that it goes before everybody who has waited;
- each entity is weighed by itself: a group with more of them gets more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fencepost.policies.fair import PRIORITY_SHIFT, Fair
from fencepost.policies.group import Group
from fencepost.policies.run_queue import UNTOLD_WEIGHT, Node

__all__ = ["WHOLE", "WeightedFair", "relative_weights"]

_BITS: Final = 10

WHOLE: Final = 1 << _BITS
"""What siblings weigh together."""


def relative_weights(root: Group, clients: Mapping[Group, int]) -> dict[Group, int]:
    """Return what part each group has of what its siblings weigh together.

    Args:
        root: the tree. Its own clients are never told anything.
        clients: how many clients there are in each group itself. Groups with none there and below do not count.
    """
    weights = {root: UNTOLD_WEIGHT}
    _weigh(root, clients, weights)
    return weights


def _weigh(parent: Group, clients: Mapping[Group, int], weights: dict[Group, int]) -> bool:
    """Weigh what is below, and tell whether there are clients."""
    populated = [child for child in parent.children.values() if _weigh(child, clients, weights)]
    total = sum(child.weight for child in populated)
    for child in populated:
        weights[child] = ((child.weight << _BITS) + total // 2) // total
    return bool(populated) or clients.get(parent, 0) > 0


class WeightedFair(Fair):
    """The `fair` policy, with virtual time that passes by `Node.cgroup_weight` too."""

    __slots__ = ()

    def requeue_key(self, node: Node, /) -> int:
        """Settle the GPU time used since the last settlement, by the node's present priority and weight."""
        used_ns = (node.runtime_ns - node.charged_ns) << PRIORITY_SHIFT[node.priority]
        node.vruntime_ns += used_ns * (WHOLE - node.cgroup_weight) >> _BITS
        node.charged_ns = node.runtime_ns
        return node.vruntime_ns
