from __future__ import annotations

import random

import pytest

from fencepost.checks.search import DfsStrategy, MixStrategy, PctStrategy, RandomStrategy, Replay
from fencepost.checks.search.pct import Pct
from fencepost.checks.search.random_walk import RandomWalk
from fencepost.checks.strategies import STRATEGIES, new_strategy
from fencepost.errors import BadInput


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("mix", MixStrategy),
        ("random", RandomStrategy),
        ("pct", PctStrategy),
        ("pct3", PctStrategy),
        ("dfs", DfsStrategy),
        ("dfs0", DfsStrategy),
    ],
)
def test_strategies_have_names(name: str, made: type) -> None:
    assert isinstance(new_strategy(name, 1), made)


@pytest.mark.parametrize("name", ["", "luck", "pct0", "mix2", "dfs-1", "DFS"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"one of random, pct, mix, dfs, or pctN or dfsN"):
        new_strategy(name, 1, "--strategy")
    assert name not in STRATEGIES


def test_the_number_of_dfs_is_its_bound() -> None:
    strategy = new_strategy("dfs3", 1)
    assert isinstance(strategy, DfsStrategy)
    assert strategy.bound == 3


def test_mix_is_two_walks_and_one_pct() -> None:
    strategy = MixStrategy(1)
    searches = [type(strategy.next_search()) for _ in range(6)]
    assert searches == [RandomWalk, RandomWalk, Pct] * 2


def test_a_walk_comes_by_everybody() -> None:
    walk = RandomWalk(random.Random(1))
    assert {walk.choose([0, 1, 2], 0) for _ in range(100)} == {0, 1, 2}


def test_pct_stays_with_one_until_a_change() -> None:
    search = Pct(random.Random(1), depth=1, length=100)
    assert len({search.choose([0, 1, 2], 0) for _ in range(100)}) == 1


def test_pct_gives_everybody_a_word_in_a_schedule_without_end() -> None:
    """Else who goes round until another has done something would be taken for a bug, where it comes first."""
    search = Pct(random.Random(1), depth=1, length=10)
    choices = [search.choose([0, 1, 2], 0) for _ in range(100)]
    assert len(set(choices[:40])) == 1
    assert set(choices[40:]) == {0, 1, 2}


def test_a_replay_counts_what_it_cannot_do() -> None:
    replay = Replay({0: 2, 1: 7, 9: 1})
    assert [replay.choose([1, 2], 1), replay.choose([1, 2], None), replay.choose([1, 2], 2)] == [2, 1, 2]
    assert replay.missed == 2
