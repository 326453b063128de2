"""Any candidate, all alike: finds most bugs that need one or two unlucky switches, soonest of all strategies."""

from __future__ import annotations

import random
from collections.abc import Sequence

from fencepost.sync.controlled import Candidate, Step

__all__ = ["RandomStrategy", "RandomWalk"]


class RandomWalk:
    """Chooses with equal odds. `seed` decides the walk."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def begin(self, steps: Sequence[Step]) -> None:
        """Chance has no need to look."""

    def choose(self, candidates: Sequence[Candidate], running: Candidate | None) -> Candidate:  # noqa: ARG002 - one of many
        return candidates[int(self._random() * len(candidates))]


class RandomStrategy:
    """A random walk each time, for ever."""

    scope = "some of them"

    def __init__(self, seed: int) -> None:
        self._seeds = random.Random(seed)

    def next_search(self) -> RandomWalk:
        return RandomWalk(self._seeds.getrandbits(64))

    def learn(self, choices: int) -> None:
        """A walk learns nothing."""
