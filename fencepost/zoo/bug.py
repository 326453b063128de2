"""What an entry of the zoo is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fencepost.checks import Kind, Model, Report, explore

__all__ = ["REQUIRED", "Bug"]

REQUIRED: Final = "mix"
"""The strategy that must find every bug; others are tried to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A historic bug, made again by putting one step back to how it was.

    Attributes:
        name: how the command line calls it: the file's name with dashes.
        title: of the change that mended it, as read there; None where it was not, or where there is no such change.
        fix: where that is to be found: commit, date, list; and what of it is not known.
        symptom: what people saw.
        interleaving: who does what in which order, in words.
        repair: what mends it, in our words.
        broken: a minimal model with the step as it was.
        fixed: the same with the step as it is.
        finds: what an exploration of `broken` may report.
        timers: the clock policy that it takes, see `explore`.
        observe: whether what it takes is somebody who looks for races, see `explore`.
    """

    name: str
    title: str | None
    fix: str
    symptom: str
    interleaving: str
    repair: str
    broken: Model
    fixed: Model
    finds: frozenset[Kind]
    timers: str = "never"
    observe: bool = False

    def search(self, schedules: int = 500, *, seed: int = 1, strategy: str = REQUIRED) -> Report:
        """Look for it. Raises as `explore`."""
        return explore(
            self.broken, schedules=schedules, strategy=strategy, seed=seed, timers=self.timers, observe=self.observe
        )

    def replay(self, token: str) -> Report:
        """Run the schedule of a report of `search` again. Raises as `explore`."""
        return explore(self.broken, replay=token, observe=self.observe)

    def search_twin(self, schedules: int, *, seed: int = 1) -> Report:
        """Look for anything in the model without it. Raises as `explore`."""
        return explore(
            self.fixed, schedules=schedules, strategy=REQUIRED, seed=seed, timers=self.timers, observe=self.observe
        )
