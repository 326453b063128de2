"""Two random walks, then one PCT: shallow bugs soon, deep ones at all."""

from __future__ import annotations

from typing import Final

from fencepost.checks.search.pct import PctStrategy
from fencepost.checks.search.random_walk import RandomStrategy
from fencepost.sync.controlled import Search

__all__ = ["MixStrategy"]

ROUND: Final = 3


class MixStrategy:
    """Every third schedule is PCT's, for ever."""

    scope = "some of them"

    def __init__(self, seed: int) -> None:
        self._walks = RandomStrategy(seed)
        self._pct = PctStrategy(seed)
        self._schedules = 0

    def next_search(self) -> Search:
        self._schedules += 1
        return self._pct.next_search() if self._schedules % ROUND == 0 else self._walks.next_search()

    def learn(self, choices: int) -> None:
        self._pct.learn(choices)
