"""What is left of a schedule when whatever the bug does not need has been left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest

from fencepost.checks.outcome import Finding, Kind, Outcome
from fencepost.checks.shrink import shrink
from fencepost.sync.controlled import Candidate

Deviations: TypeAlias = Mapping[int, Candidate]

BUG = Finding(Kind.ASSERTION, "harm", "here")
OTHER = Finding(Kind.ASSERTION, "harm", "there")
LONG = {choice: choice % 3 for choice in range(20)}


def outcome(deviations: Deviations, finding: Finding | None) -> Outcome:
    """Return a run each of whose deviations interrupts somebody."""
    return Outcome(finding, [], (), dict(deviations), 100, len(deviations), None)


class Program:
    """Goes wrong when a test of the deviations says so, and keeps which schedules were tried."""

    def __init__(self, goes_wrong: Callable[[Deviations], bool], otherwise: Finding | None = None) -> None:
        self._goes_wrong = goes_wrong
        self._otherwise = otherwise
        self.tried: list[dict[int, Candidate]] = []

    def __call__(self, deviations: Deviations) -> Outcome:
        self.tried.append(dict(deviations))
        return outcome(deviations, BUG if self._goes_wrong(deviations) else self._otherwise)


def needs(*choices: int) -> Callable[[Deviations], bool]:
    """Return a bug that takes these deviations of the long schedule."""
    return lambda deviations: all(deviations.get(choice) == LONG[choice] for choice in choices)


@pytest.mark.parametrize("needed", [(), (0,), (19,), (3, 4), (0, 7, 19)], ids=str)
def test_what_the_bug_needs_is_left(needed: tuple[int, ...]) -> None:
    assert shrink(outcome(LONG, BUG), Program(needs(*needed)), tries=300).deviations == {
        choice: LONG[choice] for choice in needed
    }


def test_a_deviation_is_moved_when_the_choices_before_it_are_fewer() -> None:
    program = Program(lambda deviations: deviations in ({2: 1, 9: 4}, {8: 4}))
    assert shrink(outcome({2: 1, 9: 4}, BUG), program, tries=300).deviations == {8: 4}


def test_no_schedule_is_tried_twice() -> None:
    program = Program(needs(3, 11, 12))
    shrink(outcome(LONG, BUG), program, tries=300)
    assert len(program.tried) == len({frozenset(each.items()) for each in program.tried})


@pytest.mark.parametrize("tries", [0, 1, 7])
def test_it_ends_with_the_best_so_far_when_the_tries_are_used_up(tries: int) -> None:
    program = Program(needs(3, 11, 12))
    best = shrink(outcome(LONG, BUG), program, tries=tries)
    assert len(program.tried) == tries
    assert needs(3, 11, 12)(best.deviations)


def test_another_bug_is_not_taken_for_the_one_that_was_found() -> None:
    found = outcome(LONG, BUG)
    assert shrink(found, Program(needs(*LONG), otherwise=OTHER), tries=300) is found
