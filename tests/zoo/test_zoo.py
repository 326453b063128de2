"""Every entry of the zoo is found by the search, found again by its token, and gone from its fixed twin."""

from __future__ import annotations

import importlib

import pytest

from fencepost.errors import BadInput
from fencepost.zoo import Bug, find_bug, load_bugs

ENTRIES = load_bugs()
LONG_S = 600
"""The models that have a whole device take minutes to be searched and shortened, on a machine that is busy."""

pytestmark = pytest.mark.timeout(LONG_S)

EACH = pytest.mark.parametrize("bug", ENTRIES, ids=lambda bug: bug.name)


@EACH
@pytest.mark.parametrize("seed", range(3))
def test_it_is_found(bug: Bug, seed: int) -> None:
    assert bug.search(seed=seed).kind in bug.finds


@EACH
def test_its_token_has_it_again(bug: Bug) -> None:
    report = bug.search()
    again = [bug.replay(report.replay_token) for _ in range(20)]
    assert [(each.kind, each.replay_token) for each in again] == [(report.kind, report.replay_token)] * 20


@EACH
def test_its_twin_is_clean(bug: Bug) -> None:
    report = bug.search_twin(300)
    assert not report.found, str(report)


@pytest.mark.slow
@EACH
def test_it_is_found_by_ten_seeds(bug: Bug) -> None:
    assert {bug.search(seed=seed).kind for seed in range(10)} <= bug.finds


@pytest.mark.slow
@EACH
def test_its_twin_is_clean_for_long(bug: Bug) -> None:
    report = bug.search_twin(10_000, seed=2)
    assert not report.found, str(report)


@EACH
def test_it_is_called_as_its_file(bug: Bug) -> None:
    module = importlib.import_module(f"fencepost.zoo.{bug.name.replace('-', '_')}")
    assert module.BUG is bug
    assert find_bug(bug.name) is bug


@EACH
def test_it_is_told_in_whole(bug: Bug) -> None:
    told = (bug.fix, bug.symptom, bug.interleaving, bug.repair)
    for text in (*told, bug.title) if bug.title is not None else told:
        assert text
        assert text == text.strip().removesuffix(".")
        assert "  " not in text


def test_they_come_by_name() -> None:
    names = [bug.name for bug in ENTRIES]
    assert names == sorted(set(names))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(BadInput, match=r"zoo: found 'unicorn', expected a name that `fencepost zoo list` prints"):
        find_bug("unicorn")
