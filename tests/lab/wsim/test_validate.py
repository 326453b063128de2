from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost.lab.wsim import parse_text


@pytest.mark.parametrize(
    ("text", "step", "found", "expected"),
    [
        pytest.param("d.1\ns.-1\n", '2: step 2 "s.-1"', 'as target step 1 "d.1"', "a batch", id="sync with a delay"),
        pytest.param("f\ns.-1\n", '2: step 2 "s.-1"', 'as target step 1 "f"', "a batch", id="sync with a fence"),
        pytest.param(
            "1.RCS.5.0.0\na.-1\n",
            '2: step 2 "a.-1"',
            'as target step 1 "1.RCS.5.0.0"',
            "an f step",
            id="signal of a batch",
        ),
        pytest.param(
            "1.RCS.5.0.0\nT.-1\n",
            '2: step 2 "T.-1"',
            'as target step 1 "1.RCS.5.0.0"',
            "a batch with duration *",
            id="end of a bounded batch",
        ),
        pytest.param(
            "f\nT.-1\n", '2: step 2 "T.-1"', 'as target step 1 "f"', "a batch with duration *", id="end of a fence"
        ),
        pytest.param(
            "f\n1.RCS.5.-1.0\n",
            '2: step 2 "1.RCS.5.-1.0"',
            'as target step 1 "f"',
            "a batch",
            id="data dependency on a fence",
        ),
        pytest.param(
            "f\n1.RCS.5.s-1.0\n",
            '2: step 2 "1.RCS.5.s-1.0"',
            'as target step 1 "f"',
            "a batch",
            id="submit dependency on a fence",
        ),
        pytest.param(
            "p.9\n1.RCS.5.f-1.0\n",
            '2: step 2 "1.RCS.5.f-1.0"',
            'as target step 1 "p.9"',
            "a batch or an f step",
            id="fence dependency on a period",
        ),
        pytest.param(
            "w.1.4k\n# note\nW.1.8k\n",
            '3: step 2 "W.1.8k"',
            "working set 1 for the second time",
            "an id of its own",
            id="working set twice",
        ),
        pytest.param(
            "w.1.4k\n1.RCS.5.r2-0.0\n",
            '2: step 2 "1.RCS.5.r2-0.0"',
            "working set 2",
            "a set that a w or W step declares",
            id="no such working set",
        ),
        pytest.param(
            "w.1.2n4k/4k\n1.RCS.5.w1-2-3.0\n",
            '2: step 2 "1.RCS.5.w1-2-3.0"',
            "object 3 of working set 1",
            "objects 0 to 2",
            id="no such object",
        ),
        pytest.param(
            "1.RCS.*.0.0\n1.BCS.*.0.0\nT.-1\n",
            '1: step 1 "1.RCS.*.0.0"',
            "duration * and no T step for it",
            "a T step that ends this batch",
            id="unbounded batch without an end",
        ),
    ],
)
def test_steps_that_do_not_fit_together_are_refused(
    refusal: Callable[[str], tuple[str, str, str]], text: str, step: str, found: str, expected: str
) -> None:
    assert refusal(text) == (f"game.wsim:{step}", found, expected)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("f,1.RCS.5.f-1.0", id="a fence nobody signals"),
        pytest.param("f,a.-1,a.-2", id="a fence signalled twice"),
        pytest.param("1.RCS.*.0.0,T.-1,T.-2", id="a batch ended twice"),
        pytest.param("1.RCS.5.w1-0.0,w.1.4k", id="a working set declared later"),
    ],
)
def test_what_is_odd_but_works_is_taken(text: str) -> None:
    parse_text(text, name="game", where="-w")
