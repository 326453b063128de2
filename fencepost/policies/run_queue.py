"""The order in which entities get to run.

The kernel keeps one tree and walks it from the left past every entity that is not ready, so thousands of blocked
clients make each selection slow. Here the members lie in two heaps, ready and blocked, and a selection looks at the top
of one. A heap cannot take out of its middle: an entry that no longer is its node's latest one is stale, is dropped when
it gets to the top, and is swept out once stale entries are more than half. So every call costs O(log n), amortised.

Entries hold the key, then the number of the insertion. The latter stays with a node that becomes ready, so that equal
keys are served in the order in which they were given, whatever was blocked in between.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from heapq import heapify, heappop, heappush
from typing import Any, Final, Generic, TypeAlias, TypeVar

from fencepost.policies.ewma import Ewma
from fencepost.policies.group import Group
from fencepost.policies.priority import Priority

__all__ = ["UNTOLD_WEIGHT", "Key", "Node", "Policy", "RunQueue", "RunQueueStatistics"]

Key: TypeAlias = int | tuple[int, int]
"""Where a policy wants a node: the smallest is leftmost. One policy keeps to one of the two forms."""

_Entry: TypeAlias = "tuple[Key, int, Node]"

UNTOLD_WEIGHT: Final = 512
"""Of 1024: a node's `cgroup_weight` before anybody set it."""

_STALE_ALLOWED: Final = 64  # beyond the number of members, before a sweep


class Node:
    """An entity as a run queue sees it.

    A node is, again and again:

    - outside: in no run queue, because its entity has no queued job or was killed;
    - blocked: a member whose head job waits for a dependency;
    - ready: a member whose head job can run.

    It outlives its membership, and may join another run queue when it is outside. Its owner may set `priority` at any
    time; that shows at the next join or pop. Everything else is written by the run queue and its policy.

    Attributes:
        name: what a person calls the entity.
        priority: how important it is.
        group: the control group whose weight counts for it; None is the root. Set by its owner while it is outside,
            and else by the run queue's `move`.
        cgroup_weight: what part of their parent's time its group has, of 1024. Set by its owner, for `v8` alone.
        queue: the run queue it is a member of, or None.
        entry: its latest place in that run queue, or None.
        ready: whether its head job can run.
        credits: what the head job costs; only means something while ready.
        submit_ns: when the head job was submitted.
        turn: its number in the round robin.
        runtime_ns: GPU time of all its finished jobs.
        charged_ns: the part of `runtime_ns` that is in the virtual time already; the rest is debt.
        vruntime_ns: virtual GPU time, while it is a member.
        relative_vruntime_ns: how far behind the leftmost it was when it left.
        mean_job_us: average GPU time of its jobs.
    """

    __slots__ = (
        "cgroup_weight",
        "charged_ns",
        "credits",
        "entry",
        "group",
        "mean_job_us",
        "name",
        "priority",
        "queue",
        "ready",
        "relative_vruntime_ns",
        "runtime_ns",
        "submit_ns",
        "turn",
        "vruntime_ns",
    )

    def __init__(self, name: str, priority: Priority = Priority.NORMAL) -> None:
        self.name = name
        self.priority = priority
        self.group: Group | None = None
        self.cgroup_weight = UNTOLD_WEIGHT
        self.queue: RunQueue[Any] | None = None
        self.entry: _Entry | None = None
        self.ready = False
        self.credits = 0
        self.submit_ns = 0
        self.turn = 0
        self.runtime_ns = 0
        self.charged_ns = 0
        self.vruntime_ns = 0
        self.relative_vruntime_ns = 0
        self.mean_job_us = Ewma()

    def __repr__(self) -> str:
        state = "outside" if self.queue is None else "ready" if self.ready else "blocked"
        return f"<Node {self.name!r} {self.priority.name} {state}>"


class Policy(ABC):
    """Gives the keys by which a run queue orders its nodes.

    A policy serves one run queue, which calls it in the course of its own calls. It must not call back. `head` is the
    leftmost member, ready or not, without counting the node itself.
    """

    __slots__ = ()

    @abstractmethod
    def join_key(self, node: Node, head: Node | None, /) -> Key:
        """Place a node that got its first job after having had none."""

    @abstractmethod
    def requeue_key(self, node: Node, /) -> Key:
        """Place a node anew whose head job was taken and which has another one."""

    def removed(self, node: Node, head: Node | None, /) -> None:  # noqa: B027 - not every policy needs it
        """Note that the node is no member any more."""

    def job_finished(self, node: Node, duration_ns: int, /) -> None:  # noqa: B027 - not every policy needs it
        """Note the GPU time of a finished job, which `node.runtime_ns` already holds."""


@dataclasses.dataclass(frozen=True, slots=True)
class RunQueueStatistics:
    """What a run queue holds, for tests and displays.

    Attributes:
        ready: members whose head job can run.
        blocked: members whose head job waits for a dependency.
        stale: entries that no longer stand for a member's place.
    """

    ready: int
    blocked: int
    stale: int


N = TypeVar("N", bound=Node)


class RunQueue(Generic[N]):
    """Keeps the nodes that have jobs in the order of a policy, and tells which of them is next.

    The owner tells it what happens: `join` when a node gets its first job, `wake` when its head job becomes ready,
    `pop` when that job is taken, `leave` when the node is killed or moved, and `charge` when a job is done. A call that
    does not fit the node's state is a mistake of the owner and raises ValueError.
    """

    __slots__ = ("_blocked", "_insertions", "_members", "_policy", "_ready")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._ready: list[_Entry] = []
        self._blocked: list[_Entry] = []
        self._members = 0
        self._insertions = 0

    def __len__(self) -> int:
        return self._members

    def __contains__(self, node: N) -> bool:
        return node.queue is self

    @property
    def head(self) -> N | None:
        """The leftmost member, ready or not; None when there is none."""
        blocked: N | None = _top(self._blocked) if self._blocked else None
        ready: N | None = _top(self._ready)
        if blocked is None or ready is None:
            return blocked if ready is None else ready
        return ready if self._ready[0] < self._blocked[0] else blocked

    @property
    def any_ready(self) -> bool:
        """Whether the head job of a member can run."""
        return _top(self._ready) is not None

    def join(self, node: N, submit_ns: int, credits: int | None = None) -> None:  # noqa: A002 - as in `wake`
        """Take in a node that got its first job after having had none.

        Args:
            submit_ns: when that job was submitted.
            credits: what it costs if it is ready; None if it is not, and the node is blocked until `wake`.

        Raises:
            ValueError: the node is a member already, of this or another run queue.
        """
        if node.queue is not None:
            raise ValueError(f"{node!r} is a member of a run queue already; it can join when it has left")
        node.submit_ns = submit_ns
        key = self._policy.join_key(node, self.head)
        node.queue = self
        self._members += 1
        self._insertions += 1
        self._place(node, key, self._insertions, credits)

    def wake(self, node: N, credits: int) -> None:  # noqa: A002 - the domain's word, as in `free_credits`
        """Note that the head job of a blocked member became ready and costs so many credits.

        Raises:
            ValueError: the node is not a blocked member.
        """
        entry = node.entry
        if node.queue is not self or node.ready or entry is None:
            raise ValueError(f"{node!r} cannot wake: it is not a blocked member of this run queue")
        key, insertion, _ = entry
        self._place(node, key, insertion, credits)

    def select(self, free_credits: int) -> N | None:
        """Tell whose head job should be taken next, without taking it.

        Returns:
            The leftmost ready node; None when no node is ready, and also when the head job of that one costs more than
            `free_credits`: a smaller job further right must not overtake it, or a big job could wait for ever.
        """
        node: N | None = _top(self._ready)
        return None if node is None or node.credits > free_credits else node

    def pop(self, node: N, next_submit_ns: int | None, next_credits: int | None) -> None:
        """Note that the head job of a ready member was taken.

        Args:
            next_submit_ns: when the node's next job was submitted; None if there is none, and the node leaves.
            next_credits: what that job costs if it is ready; None if it is not, and the node is blocked.

        Raises:
            ValueError: the node is not a ready member.
        """
        if node.queue is not self or not node.ready:
            raise ValueError(f"{node!r} has no job to take: it is not a ready member of this run queue")
        if next_submit_ns is None:
            self.leave(node)
            return
        node.submit_ns = next_submit_ns
        self._insertions += 1
        self._place(node, self._policy.requeue_key(node), self._insertions, next_credits)

    def leave(self, node: N) -> None:
        """Take the node out; nothing happens when it is no member of this run queue."""
        if node.queue is not self:
            return
        node.queue = None
        node.entry = None
        node.ready = False
        self._members -= 1
        self._policy.removed(node, self.head)

    def charge(self, node: N, duration_ns: int) -> None:
        """Account the GPU time of a finished job to its node, which need not be a member any more.

        A duration below zero, which jobs that complete out of order can show, counts as zero.
        """
        if duration_ns < 0:  # noqa: PLR1730 - a call of max costs as much as all the rest here
            duration_ns = 0
        node.runtime_ns += duration_ns
        self._policy.job_finished(node, duration_ns)

    def statistics(self) -> RunQueueStatistics:
        """Count what is held, in O(n)."""
        ready = sum(map(_is_live, self._ready))
        stale = len(self._ready) + len(self._blocked) - self._members
        return RunQueueStatistics(ready=ready, blocked=self._members - ready, stale=stale)

    def _place(self, node: Node, key: Key, insertion: int, job_credits: int | None) -> None:
        """Enter the node among the ready ones, or the blocked ones if there are no credits; its older entry is stale.

        The entry is always a new object, even for the same key and number: it is told from its stale twin by identity.
        """
        node.entry = entry = (key, insertion, node)
        if job_credits is None:
            node.ready = False
            heappush(self._blocked, entry)
        else:
            node.ready = True
            node.credits = job_credits
            heappush(self._ready, entry)
        if len(self._ready) + len(self._blocked) > 2 * self._members + _STALE_ALLOWED:
            self._sweep()

    def _sweep(self) -> None:
        for heap in (self._ready, self._blocked):
            heap[:] = filter(_is_live, heap)
            heapify(heap)


def _is_live(entry: _Entry) -> bool:
    """Say whether the entry is its node's latest one.

    The node may have moved on to the run queue of another thread. The read is safe all the same: whatever entry it has
    there, it is never this one again.
    """
    return entry[2].entry is entry


def _top(heap: list[_Entry]) -> Any:  # noqa: ANN401 - a cast to the queue's kind of node is one call more
    """Drop stale entries until the first one is live, and return its node, or None."""
    while heap:
        entry = heap[0]
        if entry[2].entry is entry:  # as `_is_live`, which is a call too many for what is done four times a job
            return entry[2]
        heappop(heap)
    return None
