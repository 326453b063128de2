"""Priorities and a few changes of them: finds bugs that need tasks to be far apart, with a known chance.

A walk that tosses a coin at each point rarely lets one task get far ahead of another. Here each task has a random
priority, the highest runs for as long as it can, and at `depth - 1` random steps whoever runs falls below all others.
A bug that takes `depth` orderings among n tasks and k steps is found with a chance of at least 1 / (n * k ** (depth -
1)) a schedule.

Source: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A Randomized Scheduler with Probabilistic Guarantees of Finding
Bugs", ASPLOS 2010.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

__all__ = ["Pct"]


class Pct:
    """Runs the task of the highest priority.

    Args:
        seed: decides priorities and where they change.
        depth: how many orderings the bug needs; 1 changes nothing on the way.
        length: about how many choices a schedule has; the changes fall among them.
    """

    def __init__(self, seed: int, *, depth: int, length: int) -> None:
        self._random = random.Random(seed)
        self._priorities: dict[int, float] = {}
        self._changes = {self._random.randrange(max(length, 1)) for _ in range(depth - 1)}
        self._lowest = 0.0
        self._choices = 0

    def choose(self, candidates: Sequence[int], running: int | None) -> int:
        if self._choices in self._changes and running is not None:
            self._lowest -= 1.0
            self._priorities[running] = self._lowest
        self._choices += 1
        return max(candidates, key=self._priority)

    def _priority(self, candidate: int) -> float:
        priority = self._priorities.get(candidate)
        if priority is None:
            priority = self._priorities[candidate] = self._random.random()
        return priority
