"""First in, first out: the kernel's default policy from 6.2 to 7.1."""

from __future__ import annotations

from fencepost.policies.run_queue import Key, Node, Policy

__all__ = ["Fifo"]


class Fifo(Policy):
    """Takes the job that was submitted first, whoever submitted it, within the most important priority that has one.

    Nothing bounds the wait of a less important node while a more important one has jobs.
    """

    __slots__ = ()

    def join_key(self, node: Node, _head: Node | None, /) -> Key:
        """Order the node by its priority, then by the submit time of its head job."""
        return node.priority, node.submit_ns

    def requeue_key(self, node: Node, /) -> Key:
        """Order the node by its priority, then by the submit time of its head job."""
        return node.priority, node.submit_ns
