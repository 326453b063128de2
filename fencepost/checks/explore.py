"""Run a model under many schedules, and report the first that goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType
from typing import Final

from fencepost.checks.clock_policy import parse_clock_policy
from fencepost.checks.determinism import check_deterministic
from fencepost.checks.outcome import Model, Outcome, run_once
from fencepost.checks.report import Report
from fencepost.checks.schedule import Schedule
from fencepost.checks.search.dfs import DfsStrategy
from fencepost.checks.search.replay import Replay
from fencepost.checks.search.strategy import Strategy
from fencepost.checks.shrink import is_same_bug, shrink
from fencepost.checks.steady import Steady, steady
from fencepost.checks.strategies import new_strategy
from fencepost.checks.watched_fields import WATCHED_FIELDS, each_access
from fencepost.errors import NotDeterministic
from fencepost.sync.carrier import keeping_carriers
from fencepost.sync.controlled import Candidate, Search
from fencepost.sync.tracking import install_fields
from fencepost.sync.watched import watching

__all__ = ["SCHEDULES", "STEP_LIMIT", "explore"]

SCHEDULES: Final = 1000
SHRINK_TRIES: Final = 300
SIMPLER_TRIES: Final = 300
STEP_LIMIT: Final = 20_000
NO_FIELDS: Final[Mapping[type, str]] = MappingProxyType({})


def explore(
    model: Model,
    *,
    schedules: int = SCHEDULES,
    strategy: str | Strategy = "mix",
    seed: int = 1,
    timers: str = "never",
    replay: str | None = None,
    step_limit: int = STEP_LIMIT,
    observe: bool = False,
    fields: Mapping[type, str] = NO_FIELDS,
) -> Report:
    """Run `model` under up to `schedules` schedules and stop at the first find, shrunk to the fewest switches.

    While it lasts, the garbage collector of the process rests (see `steady`), and fences are slower in all its threads
    (see `watching`).

    Args:
        model: gets an entered runtime of a controlled world; must do the same whenever the same choices are made.
        schedules: how many to try at most.
        strategy: random, pct, pctN with a depth of N, mix, dfs or dfsN with N preemptions at most; or one of your own.
            What a complete dfs proves is told in `fencepost.checks.search.dfs`.
        seed: of the strategy.
        timers: when a deadline may come: never early, free, or slackN (N us early). See `parse_clock_policy`.
        replay: a token of a report; runs that schedule only, with the clock policy in it.
        step_limit: a run that takes more steps is a find.
        observe: whether races on tracked fields and circles in the order of locks are finds. Accesses to tracked fields
            are steps then, so a token is good for the same value only.
        fields: of any class, names with spaces between: each access to one is a step, whatever lock is held, so that
            one that is missing shows: `{Shop: "tickets owner"}`. A token is good for the same fields only.

    Raises:
        NotDeterministic: when the model does something else although the same choices are made.
        BadInput: for an unknown strategy, policy or field, or a token that is none.
    """
    if observe:
        # Before the fields are watched, so that the one that goes first is in front.
        install_fields()
    watched = {**WATCHED_FIELDS, **each_access(fields)}
    if replay is not None:
        schedule = Schedule.parse(replay)
        with watching(watched), keeping_carriers(), steady() as pauses:
            return Runs(model, schedule.timers, step_limit, pauses, observe=observe).again(schedule)
    plan = new_strategy(strategy, seed) if isinstance(strategy, str) else strategy
    with watching(watched), keeping_carriers(), steady() as pauses:
        return Runs(model, timers, step_limit, pauses, observe=observe).hunt(plan, schedules)


class Runs:
    """Runs of one model under one clock policy."""

    def __init__(self, model: Model, timers: str, step_limit: int, pauses: Steady, *, observe: bool) -> None:
        self._observe = observe
        self._model = model
        self._timers = timers
        self._clock_slack_ns = parse_clock_policy(timers)
        self._step_limit = step_limit
        self._pauses = pauses

    def hunt(self, plan: Strategy, schedules: int) -> Report:
        """Run what a strategy plans, until something is found or nothing is left."""
        for number in range(1, schedules + 1):
            search = plan.next_search()
            if search is None:
                return Report(number - 1, complete=True, scope=plan.scope)
            outcome = self._run(search)
            plan.learn(outcome.choices)
            if number == 1 or outcome.finding is not None:
                check_deterministic(outcome, self._replay(outcome.deviations))
            if outcome.finding is not None:
                return self._report(self._simplest(outcome).deviations, number)
            # Half of what the collector would have to look at.
            outcome.steps.clear()
        complete = plan.next_search() is None
        return Report(schedules, complete=complete, scope=plan.scope if complete else "")

    def again(self, schedule: Schedule) -> Report:
        """Run one schedule."""
        search = Replay(schedule.deviations)
        outcome = self._run(search)
        if search.missed:
            raise NotDeterministic(
                f"{search.missed} choices of the replay token could not be made: it is of another model, or the model"
                " was changed, or it does not always do the same"
            )
        return Report(1) if outcome.finding is None else self._report(outcome.deviations, 1)

    def _simplest(self, found: Outcome) -> Outcome:
        """Leave out what is not needed, then look for a run that interrupts nobody so often."""
        best = shrink(found, self._replay, tries=SHRINK_TRIES)
        if best.preemptions:
            plan = DfsStrategy(best.preemptions - 1)
            for search in islice(iter(plan.next_search, None), SIMPLER_TRIES):
                outcome = self._run(search)
                if is_same_bug(outcome, found):
                    return shrink(outcome, self._replay, tries=SHRINK_TRIES)
        return best

    def _run(self, search: Search, *, explain: bool = False) -> Outcome:
        outcome = run_once(
            self._model,
            search,
            clock_slack_ns=self._clock_slack_ns,
            step_limit=self._step_limit,
            explain=explain,
            observe=self._observe,
        )
        # What a failed run leaves behind may hold fences that are still pending.
        self._pauses.between(now=outcome.finding is not None)
        return outcome

    def _replay(self, deviations: Mapping[int, Candidate]) -> Outcome:
        return self._run(Replay(deviations))

    def _report(self, deviations: Mapping[int, Candidate], schedules: int) -> Report:
        outcome = self._run(Replay(deviations), explain=True)
        if outcome.finding is None:
            raise NotDeterministic("a schedule that went wrong goes well when it is watched closely")
        return Report(
            schedules,
            kind=outcome.kind,
            message=outcome.message,
            replay_token=Schedule(self._timers, outcome.deviations).token,
            outcome=outcome,
        )
