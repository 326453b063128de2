"""The same choices again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fencepost.sync.controlled import Candidate, Step

__all__ = ["Replay"]


class Replay:
    """Makes the obvious choice, except where told otherwise.

    Obvious is: who runs goes on; else whoever has been able to run for longest. A deviation to somebody who cannot run
    is ignored and counted: the program did something else than in the run that it comes from.

    Args:
        deviations: choice number -> candidate.
    """

    def __init__(self, deviations: Mapping[int, Candidate]) -> None:
        self._deviations = deviations
        self._choices = 0
        self._made = 0

    @property
    def missed(self) -> int:
        """How many deviations could not be made so far."""
        return len(self._deviations) - self._made

    def begin(self, steps: Sequence[Step]) -> None:
        """All is known beforehand."""

    def choose(self, candidates: Sequence[Candidate], running: Candidate | None) -> Candidate:
        wanted = self._deviations.get(self._choices)
        self._choices += 1
        if wanted is not None and wanted in candidates:
            self._made += 1
            return wanted
        return candidates[0] if running is None else running
