"""Intervals that overlap, laid side by side."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import TypeVar

__all__ = ["lanes"]

T = TypeVar("T")


def lanes(intervals: Iterable[tuple[int, int, T]]) -> list[list[tuple[int, int, T]]]:
    """Deal `(start, end, what)` out to as few lanes as let none overlap; a lane is used again as soon as it is free.

    Within a lane they stand in order of time. Those of one start keep their order.
    """
    dealt: list[list[tuple[int, int, T]]] = []
    free: list[tuple[int, int]] = []  # from when, and which lane
    for interval in sorted(intervals, key=lambda interval: interval[0]):
        start, end, _ = interval
        if free and free[0][0] <= start:
            _, lane = heapq.heappop(free)
        else:
            lane = len(dealt)
            dealt.append([])
        dealt[lane].append(interval)
        heapq.heappush(free, (end, lane))
    return dealt
