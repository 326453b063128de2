from __future__ import annotations

import pytest

from fencepost.errors import BadInput
from fencepost.hw.engine_classes import DEFAULT_ENGINES, check_engines, parse_engines


@pytest.mark.parametrize(
    ("text", "engines"),
    [
        ("rcs=1", {"rcs": 1}),
        ("rcs=1,vcs=2", {"rcs": 1, "vcs": 2}),
        (" vecs = 64 , ccs=1 ", {"vecs": 64, "ccs": 1}),
        ("bcs=01", {"bcs": 1}),
    ],
)
def test_engines_are_parsed(text: str, engines: dict[str, int]) -> None:
    assert parse_engines(text) == engines


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("", "''", "CLASS=COUNT, such as vcs=2"),
        ("rcs", "'rcs'", "CLASS=COUNT, such as vcs=2"),
        ("rcs=", "'rcs='", "CLASS=COUNT, such as vcs=2"),
        ("rcs=1,", "''", "CLASS=COUNT, such as vcs=2"),
        ("rcs=-1", "'rcs=-1'", "CLASS=COUNT, such as vcs=2"),
        ("rcs=1.5", "'rcs=1.5'", "CLASS=COUNT, such as vcs=2"),
        ("rcs=1=2", "'rcs=1=2'", "CLASS=COUNT, such as vcs=2"),
        ("rcs=\N{SUPERSCRIPT TWO}", "'rcs=\N{SUPERSCRIPT TWO}'", "CLASS=COUNT, such as vcs=2"),
        ("rcs=1,rcs=1", "rcs twice", "each engine class once"),
        ("=1", "engine class ''", "one of rcs, bcs, vcs, vecs, ccs"),
        ("RCS=1", "engine class 'RCS'", "one of rcs, bcs, vcs, vecs, ccs"),
        ("vcs=0", "vcs=0", "vcs=1 to vcs=64"),
        ("vcs=65", "vcs=65", "vcs=1 to vcs=64"),
    ],
)
def test_a_bad_text_is_refused_with_the_name_of_the_option(text: str, found: str, expected: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_engines(text, "--gpu")
    assert (caught.value.where, caught.value.found, caught.value.expected) == ("--gpu", found, expected)


def test_no_engines_are_refused() -> None:
    with pytest.raises(BadInput, match="engines: found no engines, expected at least one"):
        check_engines({}, "engines")


def test_the_default_is_in_order() -> None:
    check_engines(DEFAULT_ENGINES, "engines")
