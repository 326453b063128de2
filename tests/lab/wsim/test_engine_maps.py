from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost.lab.wsim import parse_text


@pytest.mark.parametrize(
    ("text", "step", "found", "expected"),
    [
        pytest.param(
            "B.1",
            '1: step 1 "B.1"',
            "no engine map of context 1 before it",
            "a step M.1.ENGINE first",
            id="B without M",
        ),
        pytest.param(
            "B.1,M.1.VCS",
            '1: step 1 "B.1"',
            "no engine map of context 1 before it",
            "a step M.1.ENGINE first",
            id="B before M",
        ),
        pytest.param(
            "M.2.VCS,B.1",
            '2: step 2 "B.1"',
            "no engine map of context 1 before it",
            "a step M.1.ENGINE first",
            id="M of another context",
        ),
        pytest.param(
            "M.1.VCS,b.1.VCS.VCS1",
            '2: step 2 "b.1.VCS.VCS1"',
            "no load balancing of context 1 before it",
            "a step B.1 first",
            id="b without B",
        ),
        pytest.param(
            "M.1.VCS,M.2.VCS,B.2,b.1.VCS.VCS1",
            '4: step 4 "b.1.VCS.VCS1"',
            "no load balancing of context 1 before it",
            "a step B.1 first",
            id="B of another context",
        ),
        pytest.param(
            "M.1.VCS1|VCS2,B.1,b.1.VCS1|VCS3.VCS1",
            '3: step 3 "b.1.VCS1|VCS3.VCS1"',
            "engine VCS3",
            "an engine of context 1, its map is VCS1|VCS2",
            id="bond to an engine outside of the map",
        ),
        pytest.param(
            "M.1.VCS,M.1.VCS1",
            '2: step 2 "M.1.VCS1"',
            "another map of context 1",
            "one map, it was VCS",
            id="two maps of one context",
        ),
        pytest.param(
            "M.1.VCS,B.1,1.RCS.5.0.0",
            '3: step 3 "1.RCS.5.0.0"',
            "engine RCS",
            "an engine of context 1, its map is VCS",
            id="batch outside of a balanced map",
        ),
        pytest.param(
            "1.VCS2.5.0.0,M.1.VCS1",
            '1: step 1 "1.VCS2.5.0.0"',
            "engine VCS2",
            "an engine of context 1, its map is VCS1",
            id="batch outside of a map further down",
        ),
    ],
)
def test_a_set_up_that_cannot_work_is_refused(
    refusal: Callable[[str], tuple[str, str, str]], text: str, step: str, found: str, expected: str
) -> None:
    assert refusal(text) == (f"game.wsim:{step}", found, expected)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("M.1.VCS,B.1,1.VCS.5.0.0,1.VCS2.5.0.0", id="the class and one of it in a map of the class"),
        pytest.param("M.1.VCS1|VCS2,B.1,1.VCS.5.0.0", id="the class in a map of two of it"),
        pytest.param("M.1.VCS1,B.1,1.DEFAULT.5.0.0", id="DEFAULT in any map"),
        pytest.param("M.1.VCS1,2.RCS.5.0.0", id="another context"),
        pytest.param("M.1.VCS1,B.1,M.1.VCS1,B.1", id="the same set-up twice"),
        pytest.param("M.2.VCS2,B.2,b.2.VCS2.RCS", id="a master outside of the map"),
    ],
)
def test_a_set_up_that_works_is_taken(text: str) -> None:
    parse_text(text, name="game", where="-w")
