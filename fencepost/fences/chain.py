"""A chain: the points of a timeline, each complete when its own fence is and everything before it.

A chain may be as long as anybody makes it, so nothing here recurses along it, and nobody walks twice where nothing is
left:

- Once the fence of a node has signalled the node is *collected*: what comes after it holds what is before it instead.
  A walk redirects every node that it passes (path compression).
- A node also holds one further back, so that a point is found in a logarithmic number of steps (E. W. Myers, "An
  applicative random-access stack", 1983: jumps nest, and how far the next one goes follows from the two before). So
  what was collected may stay in memory until all before it is complete.
- An armed node counts two members: its own fence, and the node before, which keeps it on its list of followers. When
  that signals, a work list goes on through those that now miss nothing.

The kernel instead walks all pending nodes at each find, and has one callback that moves down the chain.

(kernel: dma_fence_chain)
"""

# ruff: noqa: SLF001 - the nodes of a chain know each other

from __future__ import annotations

import errno
from collections import deque

from fencepost.fences.chain_line import ChainLine
from fencepost.fences.container import ContainerFence
from fencepost.fences.context import context_alloc
from fencepost.fences.fence import Fence

__all__ = ["FenceChain"]

SEQNO_LIMIT = 1 << 64


class FenceChain(ContainerFence):
    """A point on a timeline of any fences: signals when its own fence has, and everything before it.

    A node whose number is higher than that of the node before is of the same context. Any other begins a context of
    its own, and its number is that of the node before if that is higher: along a chain numbers never go back.

    An error inside is not the node's: see `unwrap`.

    The fence's lock also protects `_prev`, `_jump`, `_armed`, `_missing`, `_followers` and `_deadline_ns`. A walk
    reads without it: a link that is redirected meanwhile leads to the same end by a longer way.

    Args:
        fence: what the point stands for; no chain itself, see `merge`.
        seqno: the number of the point, 64 bits.
        prev: what is before it: the node of the point before, or any fence at the bottom.

    Raises ValueError for a number that is none, or a chain as `fence`.

    Attributes:
        fence: as given.
        prev_seqno: the number of the node before in the same context, 0 where there is none.
    """

    __slots__ = (
        "__weakref__",
        "_armed",
        "_deadline_ns",
        "_depth",
        "_followers",
        "_jump",
        "_jump_seqno",
        "_line",
        "_missing",
        "_prev",
        "fence",
        "prev_seqno",
    )

    _line: ChainLine

    def __init__(self, fence: Fence, seqno: int, prev: Fence | None = None) -> None:
        if isinstance(fence, FenceChain):
            raise ValueError(f"{fence!r} as the fence of a point, expected no chain: see merge")  # noqa: TRY004
        if not 0 <= seqno < SEQNO_LIMIT:
            raise ValueError(f"point {seqno} of a chain, expected 0 to {SEQNO_LIMIT - 1}")
        self.fence = fence
        self._prev = prev
        self._jump: FenceChain | None = None
        self._jump_seqno = 0
        self._depth = 0
        self._armed = False
        self._missing = 2
        self._followers: list[FenceChain] | None = None
        self._deadline_ns: int | None = None
        self.prev_seqno = 0
        if isinstance(prev, FenceChain) and seqno > prev.seqno:
            super().__init__(prev.context, seqno)
            self._continue(prev)
        else:
            super().__init__(context_alloc(), max(prev.seqno, seqno) if isinstance(prev, FenceChain) else seqno)
            self._begin_line()

    def _continue(self, prev: FenceChain) -> None:
        """Take the place after `prev` in its context."""
        self.prev_seqno = prev.seqno
        self._depth = prev._depth + 1
        self._jump = jump = prev._next_jump()
        self._jump_seqno = jump.seqno
        self._line = prev._line
        if not self._line.append(self, prev):
            self._begin_line()

    def _begin_line(self) -> None:
        self._line = ChainLine()
        self._line.append(self)

    def _next_jump(self) -> FenceChain:
        """Return how far back the node after this one reaches: over two jumps, where they are of the same length."""
        first = self._jump
        second = None if first is None else first._jump
        if first is None or second is None or self._depth - first._depth != first._depth - second._depth:
            return self
        return second

    # What is before it. Any context; fences inside may signal here.

    @property
    def is_over(self) -> bool:
        """True once it has signalled; asks nobody."""
        return self._state != 0

    @property
    def prev(self) -> Fence | None:
        """What is before it and not known complete: a node, or what the chain stands on; None at the bottom.

        A node is left out when its own fence has signalled, whatever is before that. (kernel: dma_fence_chain_walk)
        """
        self._line.collect()
        return self._walk()

    def _walk(self) -> Fence | None:
        passed: list[FenceChain] = [self]
        before = self._prev
        while isinstance(before, FenceChain) and before.fence.signaled:
            passed.append(before)
            before = before._prev
        if before is not None and not isinstance(before, FenceChain) and before.signaled:
            before = None
        for node in passed:
            if node._prev is not before:
                node._redirect(before)
        return before

    def _redirect(self, before: Fence | None) -> None:
        with self._lock:
            # Another walk may have come further, which does no harm; but nothing at all is final.
            if self._prev is not None:
                self._prev = before

    def find_seqno(self, seqno: int) -> Fence | None:
        """Return what to wait for so that everything up to `seqno` is complete; None when it is known to be.

        That is the node of the lowest point from `seqno` on or, once that was collected, what is before it. Point 0
        is the chain as a whole.

        Raises OSError (EINVAL) for a point that the chain has not reached. (kernel: dma_fence_chain_find_seqno)
        """
        if not 0 <= seqno <= self.seqno:
            raise OSError(errno.EINVAL, f"{self!r} has no point {seqno}")
        if seqno == 0:
            return self
        self._line.collect()
        node = self
        while node.prev_seqno >= seqno:
            # The number without the node, since a long search waits for the memory of each node that it looks at.
            further = node._jump if node._jump_seqno >= seqno else node._prev
            if not isinstance(further, FenceChain) or further.seqno < seqno:
                return node._walk()
            node = further
        return node if node is self or not node.fence.signaled else node._walk()

    def last_complete_seqno(self) -> int:
        """Return the highest point of its context, up to this one, that has signalled; 0 when there is none.

        Asks the fences, and does not arm them: who polls in a loop sees to that. (kernel: drm_syncobj_query_ioctl)
        """
        node = self
        while True:
            oldest = node._line.collect()
            if oldest is None or node.is_over:
                return node.seqno
            before = oldest._walk()
            if before is None:
                return oldest.prev_seqno
            if not isinstance(before, FenceChain) or before.context != self.context:
                return 0
            # The line is a branch, and what it grew from is pending.
            node = before

    def set_deadline(self, when_ns: int) -> None:
        """Hand the hint on to the fences of all nodes that are not collected, and to what they stand on."""
        node: Fence | None = self
        while isinstance(node, FenceChain):
            if not node._keep_sooner(when_ns):
                return
            node.fence.set_deadline(when_ns)
            node = node._walk()
        if node is not None:
            node.set_deadline(when_ns)

    def _keep_sooner(self, when_ns: int) -> bool:
        """Keep a deadline; False when there is one as soon, of which all before this node were told, too."""
        with self._lock:
            is_sooner = self._deadline_ns is None or when_ns < self._deadline_ns
            if is_sooner:
                self._deadline_ns = when_ns
            return is_sooner

    # How it signals. Any context.

    def poll(self) -> bool:
        return self.fence.signaled and self._walk() is None

    def arm(self) -> None:
        nodes: list[FenceChain] = []
        node: Fence | None = self
        while isinstance(node, FenceChain) and not (node._armed or node.is_over):
            nodes.append(node)
            node = node._walk()
        # The oldest first: what is before an armed node is armed.
        while nodes:
            nodes.pop()._arm()

    def _arm(self) -> None:
        before = self._walk()
        # What can raise comes first, while nothing is counted.
        for fence in (self.fence, before):
            if fence is not None and not isinstance(fence, FenceChain):
                fence.enable_signaling()
        with self._lock:
            if self._armed:
                return
            self._armed = True
        if before is None or not self._come_after(before):
            self.count(before)
        if not self.watch(self.fence):
            self.count(self.fence)

    def _come_after(self, before: Fence) -> bool:
        """Have this node counted on when what is before it signals; False when it has."""
        return before._lead(self) if isinstance(before, FenceChain) else self.watch(before)

    def _lead(self, follower: FenceChain) -> bool:
        """Keep a follower until the signal; False when that is past."""
        with self._lock:
            if self.is_over:
                return False
            if self._followers is None:
                self._followers = [follower]
            else:
                self._followers.append(follower)
            return True

    def count(self, fence: Fence | None) -> None:  # noqa: ARG002 - which of the two does not matter
        if self._count_down():
            self.signal()

    def _count_down(self) -> bool:
        """Note that its own fence is complete, or what is before it; True when both are."""
        with self._lock:
            self._missing -= 1
            return self._missing == 0

    def signal(self, error: int = 0, timestamp_ns: int | None = None) -> bool:
        try:
            return super().signal(error, timestamp_ns)
        finally:
            self._signal_followers()

    def _signal_followers(self) -> None:
        """Signal all that missed nothing else, in the order of the chain; raise the first exception there was."""
        led = deque(self._release())
        failed: BaseException | None = None
        while led:
            node = led.popleft()
            if node._count_down():
                try:
                    Fence.signal(node)
                except BaseException as raised:  # noqa: BLE001 - the others must signal all the same
                    failed = failed or raised
                led += node._release()
        if failed is not None:
            raise failed

    def _release(self) -> list[FenceChain]:
        """Let go of what is before it, and of those that follow; return these."""
        with self._lock:
            self._prev = self._jump = None
            followers, self._followers = self._followers, None
        return followers or []
