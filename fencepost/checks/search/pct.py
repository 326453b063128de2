"""Priorities and a few changes of them: finds bugs that need tasks to be far apart, with a known chance.

A walk that tosses a coin at each point rarely lets one task get far ahead of another. Here each task has a random
priority, the highest runs for as long as it can, and at `depth - 1` random steps whoever runs falls below all others.
A bug that takes `depth` orderings among n tasks and k steps is found with a chance of at least 1 / (n * k ** (depth -
1)) a schedule.

That is unfair: where the clock is the highest, deadlines may come for ever before whoever would meet them. Something
that goes round only then is no bug, so in a schedule much longer than any before a coin decides, which is fair.

Source: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A Randomized Scheduler with Probabilistic Guarantees of Finding
Bugs", ASPLOS 2010.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from fencepost.sync.controlled import Candidate, Step

__all__ = ["Pct", "PctStrategy"]

DEPTHS: Final = (2, 3, 4)
LENGTH_AT_FIRST: Final = 100
PATIENCE: Final = 4
"""From so many times the length of the longest schedule on, a schedule is taken for one that goes round."""


class Pct:
    """Runs the task of the highest priority.

    Args:
        chance: decides priorities and where they change. Searches may share it.
        depth: how many orderings the bug needs; 1 changes nothing on the way.
        length: about how many choices a schedule has; the changes fall among them.
    """

    def __init__(self, chance: random.Random, *, depth: int, length: int) -> None:
        self._chance = chance
        self._priorities: defaultdict[Candidate, float] = defaultdict(chance.random)
        self._priority = self._priorities.__getitem__
        self._changes = {int(chance.random() * length) for _ in range(depth - 1)}
        self._fair_from = PATIENCE * length
        self._lowest = 0.0
        self._choices = 0

    def begin(self, steps: Sequence[Step]) -> None:
        """What was done does not matter, only how often there was a choice."""

    def choose(self, candidates: Sequence[Candidate], running: Candidate | None) -> Candidate:
        if self._choices in self._changes and running is not None:
            self._lowest -= 1.0
            self._priorities[running] = self._lowest
        self._choices += 1
        if self._choices > self._fair_from:
            return self._chance.choice(candidates)
        return max(candidates, key=self._priority)


class PctStrategy:
    """PCT for ever, with the length of the longest schedule so far.

    Args:
        seed: of all its schedules.
        depth: None takes 2, 3 and 4 in turn.
    """

    scope = "some of them"

    def __init__(self, seed: int, depth: int | None = None) -> None:
        self._chance = random.Random(seed)
        self._depths = DEPTHS if depth is None else (depth,)
        self._schedules = 0
        self._longest = 0

    def next_search(self) -> Pct:
        depth = self._depths[self._schedules % len(self._depths)]
        self._schedules += 1
        return Pct(self._chance, depth=depth, length=self._longest or LENGTH_AT_FIRST)

    def learn(self, choices: int) -> None:
        self._longest = max(self._longest, choices)
