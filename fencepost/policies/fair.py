"""Fair shares: the kernel's policy since 7.2.

All priorities share one order, by the GPU time that each node has had. That time passes faster the less important the
node is, so a saturated ring ends up divided 2:1 between KERNEL and HIGH, 4:1 between HIGH and NORMAL, and 8:1 between
NORMAL and LOW.

Only a pop that leaves a job behind settles what the node has used. A client that waits for each job before it pushes
the next one is never settled at all, and joins in front of its equals each time if its jobs are no longer than the
average. That makes synchronous clients responsive. It is also the limit of the policy: two nodes are shared fairly
while both keep jobs queued, but a client that always has its next job there before the next selection, and never a
second one, can starve its equals.
"""

from __future__ import annotations

from typing import Final

from fencepost.policies.ewma import Ewma
from fencepost.policies.run_queue import Node, Policy

__all__ = ["PRIORITY_SHIFT", "Fair"]

PRIORITY_SHIFT: Final = (1, 2, 4, 7)
"""By priority: virtual time is the real one times two to this power."""

_NS_PER_US: Final = 1000


class Fair(Policy):
    """Takes the node that has had the least virtual GPU time, in nanoseconds and possibly negative.

    A node's virtual time is absolute while it is a member, and relative to the leftmost member while it is not, so that
    a rest earns nothing. The two have a field each: one that was made absolute cannot be taken for a relative one.
    """

    __slots__ = ("_mean_job_us",)

    def __init__(self) -> None:
        self._mean_job_us = Ewma()

    def join_key(self, node: Node, head: Node | None, /) -> int:
        """Put the node back at its distance from the leftmost, or near the leftmost if it had none."""
        offset_ns = node.relative_vruntime_ns or self._join_offset_ns(node, head)
        node.vruntime_ns = key_ns = offset_ns if head is None else head.vruntime_ns + offset_ns
        return key_ns

    def requeue_key(self, node: Node, /) -> int:
        """Settle the GPU time used since the last settlement, at the rate of the node's present priority."""
        node.vruntime_ns += (node.runtime_ns - node.charged_ns) << PRIORITY_SHIFT[node.priority]
        node.charged_ns = node.runtime_ns
        return node.vruntime_ns

    def removed(self, node: Node, head: Node | None, /) -> None:
        """Keep how far the node was behind the leftmost; what it has used and not settled stays owed."""
        leftmost_ns = 0 if head is None else head.vruntime_ns
        behind_ns = node.vruntime_ns - leftmost_ns
        node.relative_vruntime_ns = behind_ns if leftmost_ns and behind_ns > 0 else 0

    def job_finished(self, node: Node, duration_ns: int, /) -> None:
        """Take the job into the average lengths of the node's jobs and of all jobs."""
        duration_us = duration_ns // _NS_PER_US
        node.mean_job_us.add(duration_us)
        self._mean_job_us.add(duration_us)

    def _join_offset_ns(self, node: Node, head: Node | None) -> int:
        """Say where beside the leftmost a node belongs that was not behind it when it left."""
        if head is None:
            return 0
        if node.priority < head.priority:
            return node.priority - head.priority
        if node.priority > head.priority:
            return (1 + node.mean_job_us.value + self._mean_job_us.value) * _NS_PER_US << PRIORITY_SHIFT[node.priority]
        return -1 if node.mean_job_us.value <= self._mean_job_us.value else 1
