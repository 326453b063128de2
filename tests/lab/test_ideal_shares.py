from __future__ import annotations

import random

import pytest

from fencepost.lab.ideal_shares import ALL, ideal_shares, lineage, poured

TREE = {"/A": 100, "/A/B": 100, "/A/C": 100, "/D": 200}


@pytest.mark.parametrize(
    ("wants", "shares"),
    [
        pytest.param({"/A/B": ALL, "/A/C": ALL, "/D": ALL}, {"/A/B": 1 / 6, "/A/C": 1 / 6, "/D": 2 / 3}, id="all busy"),
        pytest.param({"/A/B": ALL, "/A/C": 0, "/D": ALL}, {"/A/B": 1 / 3, "/A/C": 0, "/D": 2 / 3}, id="C idle"),
        pytest.param({"/A/B": ALL, "/A/C": ALL, "/D": 0}, {"/A/B": 1 / 2, "/A/C": 1 / 2, "/D": 0}, id="D idle"),
        pytest.param(
            {"/A/B": ALL, "/A/C": 0.1, "/D": ALL}, {"/A/B": 7 / 30, "/A/C": 0.1, "/D": 2 / 3}, id="C a little"
        ),
        pytest.param({"/A/B": ALL, "/A/C": ALL, "/D": 0.2}, {"/A/B": 0.4, "/A/C": 0.4, "/D": 0.2}, id="D a little"),
    ],
)
def test_shares_follow_the_tree_and_what_is_wanted(wants: dict[str, float], shares: dict[str, float]) -> None:
    given = ideal_shares(wants, TREE, 1.0)
    assert {path: given[path] for path in shares} == pytest.approx(shares)
    assert given["/A"] == pytest.approx(given["/A/B"] + given["/A/C"])
    assert given["/"] == 1.0


def test_the_clients_in_a_group_itself_are_one_group_more_of_default_weight() -> None:
    given = ideal_shares({"/": ALL, "/A": ALL}, {"/A": 300}, 1.0)
    assert given == pytest.approx({"/": 1.0, "/A": 0.75})


def test_nobody_gets_more_than_there_is_or_is_wanted() -> None:
    chance = random.Random(1)
    for _ in range(200):
        vessels = [(chance.randint(1, 10_000), chance.choice([0.0, chance.random(), ALL])) for _ in range(6)]
        amount = chance.random()
        given = poured(amount, vessels)
        wanted = sum(want for _, want in vessels)
        assert sum(given) == pytest.approx(min(amount, wanted))
        assert all(part <= want + 1e-12 for part, (_, want) in zip(given, vessels, strict=True))
        # Who did not get all it wanted has, for its weight, as much as anybody.
        level = max(part / weight for part, (weight, _) in zip(given, vessels, strict=True))
        assert all(
            part == pytest.approx(want) or part / weight == pytest.approx(level)
            for part, (weight, want) in zip(given, vessels, strict=True)
        )


def test_a_lineage_ends_with_the_root() -> None:
    assert [*lineage("/A/B")] == ["/A/B", "/A", "/"]
    assert [*lineage("/")] == ["/"]


def test_nobody_at_all_has_nothing() -> None:
    assert ideal_shares({}, {}, 0.0) == {"/": 0}
