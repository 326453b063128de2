"""All schedules, up to a number of preemptions; and of schedules that differ only in unrelated steps, one.

A preemption takes the turn from a task that could go on, or lets the clock come before its time; who runs next when a
task waits is a free choice. Most bugs need two preemptions at most, and there are far fewer such schedules than others.

Each run follows a list of deviations from the obvious choices, and then makes the obvious ones; whatever else could
have been chosen on the way is a run to be made later. Runs with fewer preemptions come first, so what is found has as
few as possible. A run that gets to a state that was there before, with the same task in turn, adds nothing from there
on: since that state was reached with as many preemptions or fewer, all that may follow is planned already.

What a complete search proves: no schedule with at most `bound` preemptions, of the steps that the controlled world
knows (its points: see `fencepost.sync.controlled`), goes wrong in the ways that were looked for. It proves nothing

- about schedules with more preemptions, unless nothing was left out (`scope` then says `all there are`);
- about tasks that talk to each other past the world's things and the watched fields (a plain attribute, a global): such
  an access is part of the step it stands in, and the reduction does not know of it; without reduction (`reduce=False`)
  all orders of such steps are tried, still not of the accesses within;
- about other inputs, or another clock policy than that of the exploration;
- against a collision of 64-bit hashes.

Sources: Musuvathi, Qadeer, "Iterative Context Bounding for Systematic Testing of Multithreaded Programs", PLDI 2007;
the same, "Partial-Order Reduction for Context-Bounded State Exploration", MSR-TR-2007-12. Rejected: dynamic
partial-order reduction with sleep sets, which leaves more out, but unsoundly so under a bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from fencepost.checks.search.past import Past
from fencepost.errors import NotDeterministic
from fencepost.sync.controlled import CLOCK, Candidate, Step

__all__ = ["DEFAULT_BOUND", "DfsStrategy"]

DEFAULT_BOUND: Final = 2


class DfsStrategy:
    """Plans every schedule within a bound.

    Args:
        bound: how many preemptions a schedule may have.
        reduce: whether to leave out what differs only in the order of unrelated steps. False is for tests of it.
    """

    def __init__(self, bound: int = DEFAULT_BOUND, *, reduce: bool = True) -> None:
        self.bound = bound
        self.reduce = reduce
        self._planned: list[list[dict[int, Candidate]]] = [[] for _ in range(bound + 1)]
        self._planned[0].append({})
        self._states: set[tuple[int, Candidate | None]] = set()
        self._search: DfsSearch | None = None
        self._left_out = False

    @property
    def scope(self) -> str:
        return f"all with at most {self.bound} preemptions" if self._left_out else "all there are"

    def next_search(self) -> DfsSearch | None:
        for preemptions, planned in enumerate(self._planned):
            if planned:
                self._search = DfsSearch(self, planned.pop(), preemptions)
                return self._search
        return None

    def learn(self, choices: int) -> None:  # noqa: ARG002 - as Strategy
        if self._search is not None and self._search.missed:
            raise NotDeterministic(
                f"{self._search.missed} choices that were there in one run were not there when all before was the same"
            )

    def is_new(self, state: int, running: Candidate | None) -> bool:
        """Say whether nobody was in this state with this task in turn; from now on somebody was."""
        size = len(self._states)
        self._states.add((state, running))
        return len(self._states) > size

    def plan(self, deviations: dict[int, Candidate], preemptions: int) -> None:
        """Make this run later, if it is within the bound."""
        if preemptions <= self.bound:
            self._planned[preemptions].append(deviations)
        else:
            self._left_out = True


class DfsSearch:
    """Makes one planned run, and plans those that part from it."""

    def __init__(self, strategy: DfsStrategy, deviations: Mapping[int, Candidate], preemptions: int) -> None:
        self._strategy = strategy
        self._deviations = deviations
        self._preemptions = preemptions
        self._choices = 0
        self._first_new = max(deviations, default=-1) + 1
        self._past = Past()
        self._steps: Sequence[Step] = ()
        self._well_known = False
        self.missed = 0

    def begin(self, steps: Sequence[Step]) -> None:
        self._steps = steps

    def choose(self, candidates: Sequence[Candidate], running: Candidate | None) -> Candidate:
        obvious = candidates[0] if running is None else running
        choice = self._choices
        self._choices += 1
        if choice < self._first_new:
            wanted = self._deviations.get(choice, obvious)
            if wanted in candidates:
                return wanted
            self.missed += 1
        elif not self._is_well_known(running):
            self._plan_others(candidates, running, obvious, choice)
        return obvious

    def _is_well_known(self, running: Candidate | None) -> bool:
        if self._strategy.reduce and not self._well_known:
            self._well_known = not self._strategy.is_new(self._past.fingerprint(self._steps), running)
        return self._well_known

    def _plan_others(
        self, candidates: Sequence[Candidate], running: Candidate | None, obvious: Candidate, choice: int
    ) -> None:
        for other in candidates:
            if other != obvious:
                preempts = running is not None or other == CLOCK
                self._strategy.plan({**self._deviations, choice: other}, self._preemptions + preempts)
