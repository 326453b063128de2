"""What a scheduler asks of whatever keeps its nodes in order."""

from __future__ import annotations

from typing import Protocol, TypeVar

from fencepost.policies.run_queue import Node, RunQueueStatistics

__all__ = ["RunOrder"]

N = TypeVar("N", bound=Node)


class RunOrder(Protocol[N]):
    """Keeps the nodes that have jobs, and tells which of them is next.

    `RunQueue` is one, and tells what each call means; `SingleEntity` is one without an order, and `HierarchicalWeight`
    one that knows control groups. Calls come from one actor, one at a time.
    """

    @property
    def head(self) -> N | None:
        """The leftmost member, ready or not; None when there is none."""
        ...

    @property
    def any_ready(self) -> bool:
        """Whether the head job of a member can run."""
        ...

    def join(self, node: N, submit_ns: int, credits: int | None = None) -> None:  # noqa: A002 - as in `RunQueue`
        """Take in a node that got its first job after having had none."""
        ...

    def wake(self, node: N, credits: int) -> None:  # noqa: A002 - as in `RunQueue`
        """Note that the head job of a blocked member became ready."""
        ...

    def select(self, free_credits: int) -> N | None:
        """Tell whose head job should be taken next, without taking it."""
        ...

    def pop(self, node: N, next_submit_ns: int | None, next_credits: int | None) -> None:
        """Note that the head job of a ready member was taken."""
        ...

    def leave(self, node: N) -> None:
        """Take the node out."""
        ...

    def charge(self, node: N, duration_ns: int) -> None:
        """Account the GPU time of a finished job to its node."""
        ...

    def statistics(self) -> RunQueueStatistics:
        """Count what is held."""
        ...
