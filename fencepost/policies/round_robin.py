"""Round robin: the kernel's only policy until 6.2, gone since 7.2."""

from __future__ import annotations

from fencepost.policies.run_queue import Key, Node, Policy

__all__ = ["RoundRobin"]


class RoundRobin(Policy):
    """Lets the nodes of one priority take turns; a less important priority waits until the more important ones rest.

    A pop that leaves a job behind gives the node the next number of a counter, which puts it last. A pop that empties
    the queue does not: the node joins again with the number it had, and a new one joins with 0, in front. So a client
    that has never had two jobs queued is ahead of those that have. The kernel had the same rule when all three policies
    shared one tree.
    """

    __slots__ = ("_turns",)

    def __init__(self) -> None:
        self._turns = 0

    def join_key(self, node: Node, _head: Node | None, /) -> Key:
        """Give the node its last turn again.

        A node that comes from a run queue which counted further than this one is put last: it would otherwise wait
        until this counter has caught up.
        """
        node.turn = min(node.turn, self._turns)
        return node.priority, node.turn

    def requeue_key(self, node: Node, /) -> Key:
        """Put the node behind all others of its priority."""
        self._turns += 1
        node.turn = self._turns
        return node.priority, self._turns
