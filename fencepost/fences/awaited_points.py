"""Who waits for which point of a syncobj to be submitted."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Final, TypeAlias

from fencepost.fences.fence import Fence

__all__ = ["AwaitedPoints", "Found"]

Found: TypeAlias = Callable[[Fence], object]
"""Called once, in the submitter's context, with the fence to wait for. It only posts."""

SWEEP_FLOOR: Final = 64


class AwaitedPoints:
    """Points that are not there yet, each with those to be told. No lock: its owner has one.

    A submission costs by how many it satisfies, not by how many wait.
    """

    __slots__ = ("_by_point", "_heap")

    def __init__(self) -> None:
        self._by_point: dict[int, dict[Found, None]] = {}
        self._heap: list[int] = []

    def add(self, point: int, found: Found) -> None:
        """Keep `found` until its point is there."""
        if point not in self._by_point:
            self._by_point[point] = {}
            heapq.heappush(self._heap, point)
            self._sweep()
        self._by_point[point][found] = None

    def discard(self, point: int, found: Found) -> None:
        """Forget `found`, if it is still here."""
        at_point = self._by_point.get(point)
        if at_point is not None:
            at_point.pop(found, None)
            if not at_point:
                del self._by_point[point]

    def take(self, reached: int) -> list[tuple[int, Found]]:
        """Remove and return everybody whose point is `reached` or before it, by point."""
        taken: list[tuple[int, Found]] = []
        while self._heap and self._heap[0] <= reached:
            point = heapq.heappop(self._heap)
            taken.extend((point, found) for found in self._by_point.pop(point, ()))
        return taken

    def _sweep(self) -> None:
        """Drop points that nobody waits for any more, so that giving up again and again does not grow the heap."""
        if len(self._heap) > SWEEP_FLOOR + 2 * len(self._by_point):
            self._heap = sorted(self._by_point)
