"""The run queue of a scheduler that one entity has for itself: there is nothing to put in order."""

from __future__ import annotations

from typing import Generic, TypeVar

from fencepost.policies.run_queue import Node, RunQueueStatistics

__all__ = ["SingleEntity"]

N = TypeVar("N", bound=Node)


class SingleEntity(Generic[N]):
    """Holds one node at most, with the calls of a `RunQueue`.

    The way of drivers whose firmware schedules: a hardware queue, a scheduler and an entity belong together for life,
    and what remains to the scheduler is to know what depends on what, and what is in flight.
    (Xe; DRM_SCHED_POLICY_SINGLE_ENTITY in the series of 2023)
    """

    __slots__ = ("_node",)

    def __init__(self) -> None:
        self._node: N | None = None

    def __len__(self) -> int:
        return self._node is not None

    def __contains__(self, node: N) -> bool:
        return node is self._node

    @property
    def head(self) -> N | None:
        """The member, ready or not; None when there is none."""
        return self._node

    @property
    def any_ready(self) -> bool:
        """Whether the head job of the member can run."""
        return self._node is not None and self._node.ready

    def join(self, node: N, submit_ns: int, credits: int | None = None) -> None:  # noqa: A002 - as in `RunQueue`
        """Take in a node that got its first job. See `RunQueue.join`.

        Raises:
            ValueError: there is a member already.
        """
        if self._node is not None:
            raise ValueError(f"{node!r} cannot join: the only place is taken by {self._node!r}")
        self._node = node
        _place(node, submit_ns, credits)

    def wake(self, node: N, credits: int) -> None:  # noqa: A002 - as in `RunQueue`
        """Note that the head job became ready. See `RunQueue.wake`."""
        if node is not self._node or node.ready:
            raise ValueError(f"{node!r} cannot wake: it is not a blocked member of this run queue")
        _place(node, node.submit_ns, credits)

    def select(self, free_credits: int) -> N | None:
        """Return the member if its head job can run and costs no more than `free_credits`."""
        node = self._node
        return node if node is not None and node.ready and node.credits <= free_credits else None

    def pop(self, node: N, next_submit_ns: int | None, next_credits: int | None) -> None:
        """Note that the head job was taken. See `RunQueue.pop`."""
        if node is not self._node or not node.ready:
            raise ValueError(f"{node!r} has no job to take: it is not a ready member of this run queue")
        if next_submit_ns is None:
            self.leave(node)
        else:
            _place(node, next_submit_ns, next_credits)

    def leave(self, node: N) -> None:
        """Take the node out; nothing happens when it is no member."""
        if node is self._node:
            self._node = None
            node.ready = False

    def charge(self, node: N, duration_ns: int) -> None:
        """Account the GPU time of a finished job; below zero counts as zero. See `RunQueue.charge`."""
        node.runtime_ns += max(duration_ns, 0)

    def statistics(self) -> RunQueueStatistics:
        """Count what is held."""
        return RunQueueStatistics(ready=int(self.any_ready), blocked=len(self) - self.any_ready, stale=0)


def _place(node: Node, submit_ns: int, job_credits: int | None) -> None:
    node.submit_ns = submit_ns
    node.ready = job_credits is not None
    if job_credits is not None:
        node.credits = job_credits
