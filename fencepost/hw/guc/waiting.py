"""The contexts that wait for an engine."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from fencepost.hw.guc.seat import Context

__all__ = ["Waiting"]


class Waiting:
    """Orders contexts by their importance and by how long they wait; each may wait for several engines at once."""

    def __init__(self, engines: Iterable[str]) -> None:
        # Who stopped waiting leaves its entries behind: an entry counts only if the turn is still the context's.
        self._heaps: dict[str, list[tuple[int, int, Context]]] = {name: [] for name in engines}
        self._turns = 0

    def enter(self, context: Context) -> None:
        """Let a context wait, behind its equals. It does not wait yet."""
        assert context.turn is None
        self._turns += 1
        context.turn = self._turns
        for name in context.engines:
            heapq.heappush(self._heaps[name], (context.policies.priority, self._turns, context))

    def leave(self, context: Context) -> None:
        """Let a context wait no more, if it does."""
        context.turn = None

    def first(self, engine: str) -> Context | None:
        """Return the context to have an engine next; None when none waits for it."""
        heap = self._heaps[engine]
        while heap and heap[0][2].turn != heap[0][1]:
            heapq.heappop(heap)
        return heap[0][2] if heap else None
