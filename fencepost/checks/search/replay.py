"""The same choices again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["Replay"]


class Replay:
    """Makes the obvious choice, except where told otherwise.

    Obvious is: who runs goes on; else whoever has been able to run for longest. A deviation to somebody who cannot
    run is
    ignored and counted: the program did something else than in the run that it comes from.

    Args:
        deviations: choice number -> candidate.

    Attributes:
        missed: deviations that could not be made.
    """

    def __init__(self, deviations: Mapping[int, int]) -> None:
        self._deviations = deviations
        self._choices = 0
        self.missed = 0

    def choose(self, candidates: Sequence[int], running: int | None) -> int:
        wanted = self._deviations.get(self._choices)
        self._choices += 1
        if wanted is not None:
            if wanted in candidates:
                return wanted
            self.missed += 1
        return candidates[0] if running is None else running
