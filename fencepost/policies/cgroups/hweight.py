"""Hierarchical weights: GPU time goes down the tree of control groups, and at each level by weight.

A group has its share however many entities it has. Among siblings only those count that want something: what one leaves
is divided among its siblings first, and then among those of its parent. There is no period and nothing to scan: each
pick walks down the tree to who is due at each level, so a new weight counts from the next pick on.

Within a group entities are ordered as by the `fair` policy. Those in a group that has groups too, such as the root,
stand beside these as if they were one more group, of the default weight.

What a job will need is estimated when it is taken, as the average of its entity, and put right when it is done; else
whoever is due could take all the credits there are before any of its jobs shows in the account.
"""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from heapq import heappop, heappush
from typing import Final, Generic, TypeVar, cast

from fencepost.policies.cgroups.branch import Branch, GroupStatistics, Leaf, Place, Waiting
from fencepost.policies.ewma import Ewma
from fencepost.policies.group import Group
from fencepost.policies.run_queue import Node, RunQueueStatistics

__all__ = ["HierarchicalWeight"]

_NS_PER_US: Final = 1000

N = TypeVar("N", bound=Node)


class HierarchicalWeight(Generic[N]):
    """Keeps the nodes that have jobs in the order that the weights of their groups ask for.

    It has the calls of a `RunQueue`, under the same contract, and more: its owner tells it of each change of a group
    or of a node's group, says when a job that was taken will not run, and with caps also what time it is.

    It takes weight and cap of a group from there once, when it first hears of that group or of one below.
    """

    __slots__ = ("_branches", "_held_back", "_mean_job_us", "_members", "_now_ns", "_number", "_root", "_running")

    def __init__(self) -> None:
        self._root = Branch(None, None, 0)
        self._branches: dict[Group, Branch] = {}
        self._members: dict[N, Leaf] = {}
        # What was taken and is not accounted: by node, oldest first, for whom and with which estimate.
        self._running: dict[N, deque[tuple[Leaf, int]]] = {}
        self._mean_job_us = Ewma()
        self._held_back: list[Waiting] = []
        self._number = 0
        self._now_ns = 0

    # As a run queue.

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, node: N) -> bool:
        return node in self._members

    @property
    def head(self) -> N | None:
        """The leftmost in the group that is due, ready or not, or any member if none is; None when there is none."""
        leaf = self._first()
        if leaf is None:
            return next(iter(self._members), None)
        return cast("N | None", leaf.nodes.head)

    @property
    def any_ready(self) -> bool:
        """Whether the head job of a member can run, and its groups may use more."""
        return self._root.can_run

    def join(self, node: N, submit_ns: int, credits: int | None = None) -> None:  # noqa: A002 - as in `RunQueue`
        """Take in a node that got its first job. See `RunQueue.join`."""
        leaf = self._branch(node.group).own
        leaf.nodes.join(node, submit_ns, credits)
        self._members[node] = leaf
        self._refresh(leaf)

    def wake(self, node: N, credits: int) -> None:  # noqa: A002 - as in `RunQueue`
        """Note that the head job of a blocked member became ready. See `RunQueue.wake`."""
        leaf = self._leaf_of(node, "cannot wake: it is not a blocked member")
        leaf.nodes.wake(node, credits)
        self._refresh(leaf)

    def select(self, free_credits: int) -> N | None:
        """Tell whose head job should be taken next, without taking it. See `RunQueue.select`."""
        leaf = self._first()
        return None if leaf is None else cast("N | None", leaf.nodes.select(free_credits))

    def pop(self, node: N, next_submit_ns: int | None, next_credits: int | None) -> None:
        """Note that the head job of a ready member was taken. See `RunQueue.pop`."""
        leaf = self._leaf_of(node, "has no job to take: it is not a ready member")
        leaf.nodes.pop(node, next_submit_ns, next_credits)
        if next_submit_ns is None:
            del self._members[node]
        estimate_ns = (node.mean_job_us.value or self._mean_job_us.value) * _NS_PER_US
        self._running.setdefault(node, deque()).append((leaf, estimate_ns))
        place: Place = leaf
        while (parent := place.parent) is not None:
            parent.level.take(place, estimate_ns, ready=place.can_run)
            self._pay(parent, estimate_ns)
            place = parent

    def leave(self, node: N) -> None:
        """Take the node out; nothing happens when it is no member."""
        leaf = self._members.pop(node, None)
        if leaf is not None:
            leaf.nodes.leave(node)
            self._refresh(leaf)

    def charge(self, node: N, duration_ns: int) -> None:
        """Account the GPU time of the node's oldest job that was taken, to the group for which it was taken.

        A duration below zero counts as zero.

        Raises:
            ValueError: no job of the node was taken that is not accounted yet.
        """
        duration_ns = max(duration_ns, 0)
        leaf = self._account(node, duration_ns)
        leaf.nodes.charge(node, duration_ns)
        self._mean_job_us.add(duration_ns // _NS_PER_US)

    def statistics(self) -> RunQueueStatistics:
        """Count what is held, in O(n)."""
        parts = [leaf.nodes.statistics() for leaf in (self._root.own, *(each.own for each in self._branches.values()))]
        return RunQueueStatistics(
            ready=sum(part.ready for part in parts),
            blocked=sum(part.blocked for part in parts),
            stale=sum(part.stale for part in parts),
        )

    # As one that knows groups.

    def drop(self, node: N) -> None:
        """Note that the node's oldest job that was taken will not run. Raises as `charge`."""
        self._account(node, None)

    def move(self, node: N, group: Group) -> None:
        """Have the node in another group from now on. What was taken before is accounted to the old one."""
        if node not in self._members:
            node.group = group
            return
        submit_ns, job_credits = node.submit_ns, node.credits if node.ready else None
        self.leave(node)
        node.group = group
        self.join(node, submit_ns, job_credits)

    def set_weight(self, group: Group, weight: int) -> None:
        """Change the weight of a group, from the next pick on."""
        branch = self._branch(group)
        if branch.parent is not None:
            branch.parent.level.set_weight(branch, weight)

    def set_max_share(self, group: Group, share: Fraction | None) -> None:
        """Change how much of the engine a group may use, also when nobody else wants it; None is all of it."""
        branch = self._branch(group)
        branch.set_max_share(share, self._now_ns)
        self._refresh(branch)

    def forget(self, group: Group) -> None:
        """Keep nothing of a group that was removed. What of it still runs is accounted to its ancestors.

        Raises:
            ValueError: a member is in the group.
        """
        branch = self._branches.get(group)
        if branch is None:
            return
        if len(branch.own.nodes):
            raise ValueError(f"{group!r} cannot be forgotten: {branch.own.nodes.head!r} is in it")
        del self._branches[group]

    def refill(self, now_ns: int) -> int | None:
        """Give the caps what fell due until now. To be called before `select` when groups have caps.

        Returns:
            When somebody who is held back may go on, for a timer; None when nobody is.
        """
        self._now_ns = max(self._now_ns, now_ns)
        heap = self._held_back
        while heap:
            until_ns, _, branch = heap[0]
            if branch.waiting is heap[0]:
                if until_ns > self._now_ns:
                    return until_ns
                self._pay(branch, 0)
                self._refresh(branch)
            else:
                heappop(heap)
        return None

    def group_statistics(self, group: Group) -> GroupStatistics:
        """Tell what a group, with all below it, has had of the engine."""
        branch = self._branches.get(group)
        return GroupStatistics(0, 0, 0, 0) if branch is None else branch.statistics()

    # The tree.

    def _branch(self, group: Group | None) -> Branch:
        """Find a group on this engine; the root is nobody's group, and whatever has no parent."""
        if group is None or group.parent is None:
            return self._root
        branch = self._branches.get(group)
        if branch is None:
            branch = self._branches[group] = Branch(self._branch(group.parent), group, self._now_ns)
        return branch

    def _leaf_of(self, node: N, objection: str) -> Leaf:
        try:
            return self._members[node]
        except KeyError:
            raise ValueError(f"{node!r} {objection} of this run queue") from None

    def _first(self) -> Leaf | None:
        """Walk down to who is due."""
        place: Place | None = self._root
        while isinstance(place, Branch):
            place = place.level.first()
        return cast("Leaf | None", place)

    def _refresh(self, place: Place) -> None:
        """Tell upwards whether something can run, as far as that is news."""
        while (parent := place.parent) is not None and (ready := place.can_run) != place.ready:
            parent.level.set_ready(place, ready=ready)
            place = parent

    def _account(self, node: N, duration_ns: int | None) -> Leaf:
        """Account the node's oldest job that was taken; None is for one that will not run."""
        jobs = self._running.get(node)
        if jobs is None:
            raise ValueError(f"{node!r} has no job to account: none was taken that has not come back")
        leaf, estimate_ns = jobs.popleft()
        if not jobs:
            del self._running[node]
        excess_ns = (duration_ns or 0) - estimate_ns
        place: Place = leaf
        while (parent := place.parent) is not None:
            if duration_ns is not None:
                place.mean_job_us.add(duration_ns // _NS_PER_US)
            parent.level.account(place, excess_ns, ready=place.can_run)
            parent.runtime_ns += duration_ns or 0
            self._pay(parent, excess_ns)
            place = parent
        return leaf

    def _pay(self, branch: Branch, time_ns: int) -> None:
        """Take time from the cap of a group, if it has one, and hold the group back while that is empty."""
        cap = branch.cap
        if cap is None:
            return
        cap.fill(self._now_ns)
        cap.pay(time_ns)
        if not cap.empty:
            branch.release(self._now_ns)
        elif branch.waiting is None or cap.refilled_ns != branch.waiting[0]:
            self._number += 1
            heappush(self._held_back, branch.hold_back(cap, self._number, self._now_ns))
