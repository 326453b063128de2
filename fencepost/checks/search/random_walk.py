"""Any candidate, all alike: finds most bugs that need one or two unlucky switches, soonest of all strategies."""

from __future__ import annotations

import random
from collections.abc import Sequence

__all__ = ["RandomWalk"]


class RandomWalk:
    """Chooses with equal odds. `seed` decides the walk."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def choose(self, candidates: Sequence[int], running: int | None) -> int:  # noqa: ARG002 - who runs is one of many
        return candidates[int(self._random() * len(candidates))]
