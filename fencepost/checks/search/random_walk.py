"""Any candidate, all alike: finds most bugs that need one or two unlucky switches, soonest of all strategies."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from fencepost.sync.controlled import Candidate, Step

__all__ = ["RandomStrategy", "RandomWalk"]

BITS: Final = 24
"""So many that it does not matter that the odds are only nearly equal."""


class RandomWalk:
    """Chooses with equal odds.

    Args:
        chance: decides. Walks may share one: to make it takes as long as thirty choices.
    """

    def __init__(self, chance: random.Random) -> None:
        self._bits = chance.getrandbits

    def begin(self, steps: Sequence[Step]) -> None:
        """Chance has no need to look."""

    def choose(self, candidates: Sequence[Candidate], running: Candidate | None) -> Candidate:  # noqa: ARG002 - one of many
        return candidates[self._bits(BITS) % len(candidates)]


class RandomStrategy:
    """A random walk each time, for ever."""

    scope = "some of them"

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def next_search(self) -> RandomWalk:
        return RandomWalk(self._chance)

    def learn(self, choices: int) -> None:
        """A walk learns nothing."""
