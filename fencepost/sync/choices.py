"""Who may run next in a controlled world, and the choices made among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from fencepost.sync.virtual import VirtualTask

__all__ = ["CLOCK", "Candidate", "Choices", "Search", "Step"]

Candidate: TypeAlias = int
"""The number of a task: 0 is the main task, the others count from 1 in the order of their start; `CLOCK`."""

CLOCK: Final = -1
"""The number of the clock among the candidates."""

Step: TypeAlias = tuple[Candidate, str, int]
"""Who did what to which thing.

Things have numbers that do not depend on what other tasks did meanwhile, so they are the same in equivalent schedules.
"""


class Search(Protocol):
    """Chooses who runs next, throughout one schedule."""

    def begin(self, steps: Sequence[Step]) -> None:
        """Note that a schedule begins; `steps` grows with what is done in it, and is emptied some time afterwards."""
        ...

    def choose(self, candidates: Sequence[Candidate], running: Candidate | None) -> Candidate:
        """Return one of `candidates` (two or more, in the order in which they became able to run).

        `candidates` is good until this returns. `running` is who stands at a point and could go on; None when who ran
        last waits or has ended.
        """
        ...


class Choices:
    """The tasks that could run, and the choices among them: the `Order` of a world that is searched.

    Attributes:
        candidates: the numbers of those tasks, in the order in which they became able to run.
        tasks: every task by its number. Kept by the world.
        deviations: choice number -> candidate, for the choices that were not the obvious one: who runs goes on, else
            whoever has been able to run for longest. Enough to make the same choices again.
        choices: how many there were.
        preemptions: how many of them took the turn from somebody who could go on, or let the clock come early.
        over: the world is closing, and nothing is left to choose: first able, first run.
    """

    def __init__(self, search: Search) -> None:
        self._ask = search.choose
        self.candidates: list[Candidate] = []
        self.tasks: list[VirtualTask] = []
        self.deviations: dict[int, Candidate] = {}
        self.choices = 0
        self.preemptions = 0
        self.over = False

    def add(self, task: VirtualTask, /) -> None:
        """Note that `task` can run."""
        self.candidates.append(task.number)

    def __bool__(self) -> bool:
        return bool(self.candidates)

    def take(self) -> VirtualTask:
        """Remove one and return it."""
        return self.tasks[self.choose(None)]

    def choose(self, running: Candidate | None) -> Candidate:
        """Remove a candidate and return it. `running` is the one who has the turn, None when nobody has."""
        candidates = self.candidates
        if len(candidates) == 1 or self.over:
            return candidates.pop(0)
        chosen = self._ask(candidates, running)
        if running is None:
            if chosen != candidates[0]:
                self.deviations[self.choices] = chosen
        elif chosen != running:
            self.deviations[self.choices] = chosen
            self.preemptions += 1
        self.choices += 1
        candidates.remove(chosen)
        return chosen

    def choose_at_point(self, running: Candidate) -> Candidate:
        """Return who goes on: `running`, who is no candidate, or one whose place it takes. There is a candidate."""
        candidates = self.candidates
        candidates.append(running)
        try:
            chosen = self._ask(candidates, running)
        finally:
            # Also when it is called away here.
            candidates.pop()
        if chosen != running:
            candidates.remove(chosen)
            candidates.append(running)
            self.deviations[self.choices] = chosen
            self.preemptions += 1
        self.choices += 1
        return chosen

    def choose_or_clock(self, running: Candidate | None) -> Candidate:
        """As `choose`, with the clock among the candidates. That it comes early is a preemption too."""
        self.candidates.append(CLOCK)
        chosen = self.choose(running)
        if chosen == CLOCK:
            self.preemptions += running is None
        else:
            self.candidates.remove(CLOCK)
        return chosen
