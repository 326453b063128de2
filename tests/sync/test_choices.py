"""Choices: what is kept of them is enough to make them again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fencepost.sync.choices import CLOCK, Candidate, Choices


class Script:
    """Chooses as it was told."""

    def __init__(self, *script: Candidate) -> None:
        self.script = list(script)
        self.asked: list[tuple[tuple[Candidate, ...], Candidate | None]] = []

    def begin(self, steps: Sequence[object]) -> None:
        """Nothing to look at."""

    def choose(self, candidates: Sequence[Candidate], running: Candidate | None) -> Candidate:
        self.asked.append((tuple(candidates), running))
        return self.script.pop(0)


def choices_among(*able: Candidate, script: Script) -> Choices:
    choices = Choices(script)
    choices.candidates.extend(able)
    return choices


def kept(choices: Choices) -> tuple[dict[int, Candidate], int, int]:
    return choices.deviations, choices.choices, choices.preemptions


def test_who_goes_on_and_who_was_able_first_are_no_deviations() -> None:
    choices = choices_among(1, 2, 0, script=Script(0, 1))
    assert choices.choose(0) == 0
    assert choices.choose(None) == 1
    assert kept(choices) == ({}, 2, 0)
    assert choices.candidates == [2]


def test_another_is_a_deviation_and_a_preemption_of_who_could_go_on() -> None:
    choices = choices_among(1, 2, 0, script=Script(2, 0))
    assert choices.choose(0) == 2
    assert choices.choose(None) == 0
    assert kept(choices) == ({0: 2, 1: 0}, 2, 1)


def test_the_only_one_is_no_choice_unless_the_clock_may_come() -> None:
    script = Script(CLOCK, 1)
    choices = choices_among(1, script=script)
    assert choices.choose_or_clock(None) == CLOCK
    assert choices.candidates == [1]
    assert choices.choose_or_clock(1) == 1
    assert script.asked == [((1, CLOCK), None), ((1, CLOCK), 1)]
    assert kept(choices) == ({0: CLOCK}, 2, 1)
    assert choices.candidates == []
    choices.candidates.append(3)
    assert choices.choose(None) == 3
    assert len(script.asked) == 2


def test_a_clock_that_interrupts_is_one_preemption() -> None:
    choices = choices_among(1, 2, script=Script(CLOCK))
    assert choices.choose_or_clock(2) == CLOCK
    assert kept(choices) == ({0: CLOCK}, 1, 1)


def test_who_stands_at_a_point_goes_on_or_joins_those_who_could() -> None:
    script = Script(0, 2)
    choices = choices_among(1, 2, script=script)
    assert choices.choose_at_point(0) == 0
    assert choices.candidates == [1, 2]
    assert choices.choose_at_point(0) == 2
    assert choices.candidates == [1, 0]
    assert script.asked == [((1, 2, 0), 0)] * 2
    assert kept(choices) == ({1: 2}, 2, 1)


def test_who_is_called_away_at_a_point_is_no_candidate() -> None:
    choices = choices_among(1, script=Script())
    with pytest.raises(IndexError):
        choices.choose_at_point(0)
    with pytest.raises(IndexError):
        choices_among(1, 2, script=Script()).choose(None)
    assert kept(choices) == ({}, 0, 0)
    assert choices.candidates == [1]


def test_in_the_end_nobody_is_asked() -> None:
    script = Script()
    choices = choices_among(2, 1, script=script)
    choices.over = True
    assert [choices.choose(1), choices.choose(None)] == [2, 1]
    assert script.asked == []
    assert kept(choices) == ({}, 0, 0)
