"""The search strategies by name: each gives a search for every schedule of an exploration."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from fencepost.checks.outcome import Outcome
from fencepost.checks.search.pct import Pct
from fencepost.checks.search.random_walk import RandomWalk
from fencepost.errors import BadInput
from fencepost.sync.controlled import Search

__all__ = ["STRATEGIES", "Strategy", "new_strategy"]

PCT_DEPTHS: Final = (2, 3, 4)


class Strategy(Protocol):
    """Plans an exploration, one schedule after the other."""

    def next_search(self) -> Search | None:
        """Return the search of the next schedule, or None when there is nothing left to try."""
        ...

    def learn(self, outcome: Outcome) -> None:
        """Take notice of what the last schedule came to."""
        ...


class RandomStrategy:
    """A random walk each time."""

    def __init__(self, seed: int) -> None:
        self._seeds = random.Random(seed)

    def next_search(self) -> Search:
        return RandomWalk(self._seeds.getrandbits(64))

    def learn(self, outcome: Outcome) -> None:
        """A walk learns nothing."""


class PctStrategy:
    """PCT at depths 2, 3 and 4 in turn, with the length of the longest schedule so far."""

    def __init__(self, seed: int) -> None:
        self._seeds = random.Random(seed)
        self._schedules = 0
        self._length = 100

    def next_search(self) -> Search:
        depth = PCT_DEPTHS[self._schedules % len(PCT_DEPTHS)]
        self._schedules += 1
        return Pct(self._seeds.getrandbits(64), depth=depth, length=self._length)

    def learn(self, outcome: Outcome) -> None:
        self._length = max(self._length if self._schedules > 1 else 1, outcome.choices)


class MixStrategy:
    """Two random walks, then one PCT: shallow bugs soon, deep ones at all."""

    def __init__(self, seed: int) -> None:
        self._walks = RandomStrategy(seed)
        self._pct = PctStrategy(seed)
        self._schedules = 0

    def next_search(self) -> Search:
        self._schedules += 1
        return self._pct.next_search() if self._schedules % 3 == 0 else self._walks.next_search()

    def learn(self, outcome: Outcome) -> None:
        self._pct.learn(outcome)


STRATEGIES: Final[Mapping[str, Callable[[int], Strategy]]] = MappingProxyType(
    {"random": RandomStrategy, "pct": PctStrategy, "mix": MixStrategy}
)


def new_strategy(name: str, seed: int, where: str = "strategy") -> Strategy:
    """Make the strategy of this name; BadInput when there is none."""
    if name not in STRATEGIES:
        raise BadInput(where, repr(name), f"one of {', '.join(STRATEGIES)}")
    return STRATEGIES[name](seed)
