"""What several tests of chains need."""

from __future__ import annotations

from collections.abc import Iterable

from fencepost.fences import Fence, FenceChain

__all__ = ["chain_of", "new_chain"]


def chain_of(over: Iterable[Fence], *, first: int = 1, step: int = 1, prev: Fence | None = None) -> list[FenceChain]:
    """Make a node over each fence, numbered from `first` in steps; return them, the oldest first."""
    nodes: list[FenceChain] = []
    for place, fence in enumerate(over):
        nodes.append(FenceChain(fence, first + place * step, nodes[-1] if nodes else prev))
    return nodes


def new_chain(length: int, *, first: int = 1, step: int = 1) -> tuple[list[Fence], list[FenceChain]]:
    """Make a chain over as many new fences, as the kernel's self-tests do: each node enabled as it is made."""
    fences = [Fence() for _ in range(length)]
    nodes = chain_of(fences, first=first, step=step)
    for node in nodes:
        assert node.enable_signaling()
    return fences, nodes
