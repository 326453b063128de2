"""Run a model under many schedules, and report the first that goes wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from fencepost.checks.clock_policy import parse_clock_policy
from fencepost.checks.outcome import Kind, Model, Outcome, run_once
from fencepost.checks.schedule import Schedule
from fencepost.checks.search.replay import Replay
from fencepost.checks.shrink import shrink
from fencepost.checks.strategies import new_strategy
from fencepost.errors import NotDeterministic

__all__ = ["Report", "explore"]

SHRINK_TRIES: Final = 300
STEP_LIMIT: Final = 20_000
LAST_STEPS: Final = 12


@dataclass(frozen=True, slots=True)
class Report:
    """What an exploration came to.

    Attributes:
        schedules: how many were run until the find, or in all.
        complete: whether that was every schedule there is, within the bound of the strategy.
        kind, message: what went wrong; None when nothing did.
        replay_token: makes `explore(model, replay=token)` run the schedule again; empty when nothing was found.
        outcome: the run itself, shrunk, or None.
    """

    schedules: int
    complete: bool = False
    kind: Kind | None = None
    message: str = ""
    replay_token: str = ""
    outcome: Outcome | None = None

    @property
    def found(self) -> bool:
        return self.kind is not None

    def __str__(self) -> str:
        if self.outcome is None:
            return f"nothing found in {self.schedules} schedules" + (", all there are" if self.complete else "")
        switches = len(self.outcome.deviations)
        return (
            f"{self.kind} after {self.schedules} schedules: {self.message}\n"
            f"the last of {len(self.outcome.steps)} steps, with {switches} switches that it takes:\n"
            f"{last_steps(self.outcome)}\nreplay: {self.replay_token}"
        )


def last_steps(outcome: Outcome) -> str:
    """Return who did what last, a line each."""
    names = (*outcome.names, "the clock")  # whose number is -1
    return "\n".join(f"  {names[who]}: {what} {thing or ''}" for who, what, thing in outcome.steps[-LAST_STEPS:])


def explore(
    model: Model,
    *,
    schedules: int = 1000,
    strategy: str = "mix",
    seed: int = 1,
    timers: str = "never",
    replay: str | None = None,
    step_limit: int = STEP_LIMIT,
) -> Report:
    """Run `model` under up to `schedules` schedules and stop at the first find, shrunk to the fewest switches.

    Args:
        model: gets an entered runtime of a controlled world; must do the same whenever the same choices are made.
        schedules: how many to try at most.
        strategy: random, pct or mix.
        seed: of the strategy.
        timers: when a deadline may come: never early, free, or slackN (N us early). See `parse_clock_policy`.
        replay: a token of a report; runs that schedule only.
        step_limit: a run that takes more steps is a find.

    Raises:
        NotDeterministic: when the model does something else although the same choices are made.
        BadInput: for an unknown strategy or policy, or a token that is none.
    """
    if replay is not None:
        return run_again(model, Schedule.parse(replay), step_limit)
    run = partial(run_once, model, clock_slack_ns=parse_clock_policy(timers), step_limit=step_limit)
    plan = new_strategy(strategy, seed)
    for number in range(1, schedules + 1):
        search = plan.next_search()
        if search is None:
            return Report(number - 1, complete=True)
        outcome = run(search)
        plan.learn(outcome)
        if number == 1 or outcome.kind is not None:
            check_deterministic(outcome, run(Replay(outcome.deviations)))
        if outcome.kind is not None:
            smallest = shrink(outcome, lambda deviations: run(Replay(deviations)), tries=SHRINK_TRIES)
            return found(smallest, number, timers)
    return Report(schedules)


def run_again(model: Model, schedule: Schedule, step_limit: int) -> Report:
    """Run one schedule."""
    search = Replay(schedule.deviations)
    outcome = run_once(model, search, clock_slack_ns=parse_clock_policy(schedule.timers), step_limit=step_limit)
    if search.missed:
        raise NotDeterministic(
            f"{search.missed} choices of the replay token could not be made: the model is another one"
        )
    if outcome.kind is None:
        return Report(1)
    return found(outcome, 1, schedule.timers)


def found(outcome: Outcome, schedules: int, timers: str) -> Report:
    """Report a find."""
    token = Schedule(timers, outcome.deviations).token
    return Report(schedules, kind=outcome.kind, message=outcome.message, replay_token=token, outcome=outcome)


def check_deterministic(first: Outcome, again: Outcome) -> None:
    """Raise NotDeterministic when two runs with the same choices differ."""
    for number, (one, other) in enumerate(zip(first.steps, again.steps, strict=False)):
        if one[:2] != other[:2]:
            raise NotDeterministic(
                f"step {number} was {one[1]} by {one[0]}, then with the same choices {other[1]} by {other[0]}"
            )
    if len(first.steps) != len(again.steps) or first.kind != again.kind:
        raise NotDeterministic(
            f"{len(first.steps)} steps and {first.kind}, then with the same choices {len(again.steps)} and {again.kind}"
        )
