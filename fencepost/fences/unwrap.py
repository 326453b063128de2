"""What is inside of containers, and one fence for many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fencepost.fences.array import FenceArray
from fencepost.fences.chain import FenceChain
from fencepost.fences.context import context_alloc, is_later
from fencepost.fences.private_stub import private_stub
from fencepost.sync.allocation import Allocation, might_alloc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fencepost.fences.fence import Fence

__all__ = ["merge", "unwrap"]


def unwrap(fence: Fence) -> Iterator[Fence]:
    """Yield what `fence` stands for: points of a chain from its head back, members of an array in their order.

    A fence that is no container stands for itself. Points of a chain that have signalled are left out, but for the
    head, and any that another task collects meanwhile. Any context. (kernel: dma_fence_unwrap_for_each)
    """
    node: Fence | None = fence
    while node is not None:
        inside = node.fence if isinstance(node, FenceChain) else node
        if isinstance(inside, FenceArray):
            yield from inside.fences
        else:
            yield inside
        node = node.prev if isinstance(node, FenceChain) else None


def merge(*fences: Fence) -> Fence:
    """Return one fence that signals when all of `fences` have: no container for what one fence can say.

    Of what is pending inside of them, each counts once, and only the last of each context. Nothing is a signalled
    fence with the latest timestamp there was; one is that fence itself; more are an array, by ascending context. An
    error of what has signalled is lost. Any context. (kernel: dma_fence_unwrap_merge)
    """
    might_alloc(Allocation.KERNEL)
    timestamp_ns = 0
    last: dict[int, Fence] = {}
    for fence in fences:
        for leaf in unwrap(fence):
            if leaf.signaled:
                timestamp_ns = max(timestamp_ns, leaf.timestamp_ns)
            elif leaf.context not in last or is_later(leaf, last[leaf.context]):
                last[leaf.context] = leaf
    if not last:
        return private_stub(timestamp_ns)
    if len(last) == 1:
        return last.popitem()[1]
    return FenceArray((last[context] for context in sorted(last)), context=context_alloc())
