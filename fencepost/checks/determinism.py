"""Whether a model does the same when the same choices are made: if not, nothing that is found can be replayed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fencepost.checks.outcome import Outcome
from fencepost.errors import NotDeterministic
from fencepost.sync.controlled import Step

__all__ = ["check_deterministic"]

ADVICE: Final = (
    "the same choices must lead to the same steps: look for chance, the real clock, the order of a set, threads of its"
    " own, or something kept from the run before"
)


def check_deterministic(first: Outcome, again: Outcome) -> None:
    """Raise NotDeterministic when two runs with the same choices differ, and say where they part."""
    for number, (one, other) in enumerate(zip(first.steps, again.steps, strict=False)):
        if one != other:
            raise NotDeterministic(
                f"step {number} was {said(one, first.names)}, then, with the same choices, {said(other, again.names)}:"
                f" {ADVICE}"
            )
    if len(first.steps) != len(again.steps) or first.kind != again.kind:
        raise NotDeterministic(
            f"a run of {len(first.steps)} steps that came to {result(first)}, then, with the same choices,"
            f" {len(again.steps)} steps and {result(again)}: {ADVICE}"
        )


def result(outcome: Outcome) -> str:
    """Say what a run came to."""
    return "its end" if outcome.kind is None else str(outcome.kind)


def said(step: Step, names: Sequence[str]) -> str:
    """Say who did what."""
    who, action, thing = step
    return f"`{action}` of thing {thing} by {'the clock' if who < 0 else names[who]}"
