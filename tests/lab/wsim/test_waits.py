from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost.lab.wsim import parse_text

NO_SIGNAL = "the wait to come after an a step for the fence that it needs"


@pytest.mark.parametrize(
    ("text", "step", "found", "expected"),
    [
        pytest.param(
            "1.RCS.*.0.1,T.-1",
            '1: step 1 "1.RCS.*.0.1"',
            "a wait for its own batch",
            'the wait to come after step 2 "T.-1", which it needs',
            id="wait on an unbounded batch",
        ),
        pytest.param(
            "1.RCS.*.0.0,s.-1,T.-2",
            '2: step 2 "s.-1"',
            'a wait for step 1 "1.RCS.*.0.0"',
            'the wait to come after step 3 "T.-2", which it needs',
            id="sync with an unbounded batch before its end",
        ),
        pytest.param(
            "1.RCS.*.0.0,2.BCS.5.-1.0,3.BCS.5.f-1.1,T.-3",
            '3: step 3 "3.BCS.5.f-1.1"',
            "a wait for its own batch",
            'the wait to come after step 4 "T.-3", which it needs',
            id="wait two dependencies behind an unbounded batch",
        ),
        pytest.param(
            "1.RCS.*.0.0,1.RCS.5.0.1,T.-2",
            '2: step 2 "1.RCS.5.0.1"',
            "a wait for its own batch",
            'the wait to come after step 3 "T.-2", which it needs',
            id="wait in the queue of an unbounded batch",
        ),
        pytest.param(
            "f,1.RCS.5.f-1.1",
            '2: step 2 "1.RCS.5.f-1.1"',
            "a wait for its own batch",
            NO_SIGNAL,
            id="wait behind a fence nobody signals",
        ),
        pytest.param(
            "f,1.RCS.5.f-1.0,s.-1,a.-3",
            '3: step 3 "s.-1"',
            'a wait for step 2 "1.RCS.5.f-1.0"',
            'the wait to come after step 4 "a.-3", which it needs',
            id="sync behind a fence before its signal",
        ),
        pytest.param(
            "f,1.RCS.*.f-1.0,2.BCS.5.s-1.1,T.-2",
            '3: step 3 "2.BCS.5.s-1.1"',
            "a wait for its own batch",
            NO_SIGNAL,
            id="wait for a batch that starts with one behind a fence",
        ),
    ],
)
def test_a_wait_that_can_never_end_is_refused(
    refusal: Callable[[str], tuple[str, str, str]], text: str, step: str, found: str, expected: str
) -> None:
    assert refusal(text) == (f"game.wsim:{step}", found, expected)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1.RCS.*.0.0,T.-1,s.-2", id="sync after the end"),
        pytest.param("f,1.RCS.5.f-1.0,a.-2,s.-2", id="sync after the signal"),
        pytest.param("f,a.-1,1.RCS.5.f-2.1", id="wait after the signal"),
        pytest.param("f,a.-1,1.RCS.5.f-2.1,a.-3", id="wait after the first of two signals"),
        pytest.param("1.RCS.*.0.0,2.BCS.5.s-1.1,T.-2", id="wait for a batch that starts with an unbounded one"),
        pytest.param("1.RCS.*.0.0,1.BCS.5.0.1,T.-2", id="wait on another engine"),
        pytest.param("1.RCS.*.0.0,2.RCS.5.0.1,T.-2", id="wait in another context, for the run to judge"),
        pytest.param("w.1.4k,1.RCS.*.w1-0.0,2.BCS.5.r1-0.1,T.-2", id="wait for an object, for the run to judge"),
        pytest.param("t.1,1.RCS.*.0.0,2.BCS.5.0.0,T.-2", id="throttle, for the run to judge"),
    ],
)
def test_a_wait_that_may_end_is_taken(text: str) -> None:
    parse_text(text, name="game", where="-w")
