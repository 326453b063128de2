"""Which nodes of a chain are not known complete, oldest first."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING
from weakref import ref

from fencepost.sync.world import ambient

if TYPE_CHECKING:
    # It imports this module; only the type checkers need the way back.
    from fencepost.fences.chain import FenceChain

__all__ = ["ChainLine"]


class ChainLine:
    """Nodes that came one after the other, without a branch. Keeps none of them alive.

    `_lock` protects the list; a leaf.
    """

    __slots__ = ("_lock", "_nodes")

    def __init__(self) -> None:
        self._lock = ambient.world.lock()
        self._nodes: deque[ref[FenceChain]] = deque()

    def append(self, node: FenceChain, prev: FenceChain | None = None) -> bool:
        """Note a new node, made after `prev`; False when another was. Any context: asks no fence."""
        self._oldest()
        with self._lock:
            while self._nodes and self._nodes[-1]() is None:
                # Made and dropped again, since what comes after a node holds it.
                self._nodes.pop()
            if self._nodes and self._nodes[-1]() is not prev:
                return False
            self._nodes.append(ref(node))
            return True

    def collect(self) -> FenceChain | None:
        """Have nodes signal that are complete, from the oldest on; return the oldest that is not, None without one.

        A node that has signalled holds nothing before it. Fences of others may signal here, too.
        """
        while (node := self._oldest()) is not None and node.signaled:
            pass
        return node

    def _oldest(self) -> FenceChain | None:
        """Return the oldest node that has not signalled; forget those before it."""
        while True:
            with self._lock:
                if not self._nodes:
                    return None
                oldest = self._nodes[0]
            # Without the lock, since the last reference to the node may be this one.
            node = oldest()
            if node is not None and not node.is_over:
                return node
            with self._lock:
                if self._nodes and self._nodes[0] is oldest:
                    self._nodes.popleft()
