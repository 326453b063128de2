"""The scans of `rfc-budget` and `v6`, by hand."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fencepost.policies.cgroups.rfc_budget import RfcBudget
from fencepost.policies.cgroups.v6 import V6Budget, divide
from fencepost.policies.group import Group
from tests.policies.cgroups.device import tree

S = 1_000_000_000
US = 1_000_000  # of a second


@pytest.fixture
def groups() -> dict[str, Group]:
    return tree({"root": (100, {"A": 100, "B": (200, {"C": 100, "D": 100})})})


# --- rfc-budget


@pytest.mark.parametrize("faithful", [False, True])
def test_each_level_divides_what_it_has_by_the_weights_of_all_children(
    groups: dict[str, Group],
    faithful: bool,  # noqa: FBT001 - a parameter of a test
) -> None:
    scan = RfcBudget(groups["root"], faithful=faithful)
    scan.begin(0, {})
    used = {groups[name]: US for name in "ACD"}
    assert scan.look(S, used) == [
        (groups["A"], US, 333_334),
        (groups["C"], US, 333_334),
        (groups["D"], US, 333_334),
    ]


def test_who_is_over_is_told_each_time_and_once_when_that_is_over(groups: dict[str, Group]) -> None:
    scan, a = RfcBudget(groups["root"]), groups["A"]
    scan.begin(0, {a: 50})
    assert scan.look(S, {a: 400_050}) == [(a, 400_000, 333_334)]
    assert scan.look(2 * S, {a: 800_050}) == [(a, 400_000, 333_334)]
    assert scan.look(3 * S, {a: 1_000_050}) == [(a, 200_000, 333_334)]
    assert scan.look(4 * S, {a: 1_000_050}) == []


def test_the_measured_period_counts(groups: dict[str, Group]) -> None:
    scan, a = RfcBudget(groups["root"]), groups["A"]
    scan.begin(0, {})
    assert scan.look(3 * S, {a: US}) == []
    assert scan.look(3 * S + S // 2, {a: US + 200_000}) == [(a, 200_000, 166_667)]


def test_a_lone_group_among_idle_siblings_is_over_budget(groups: dict[str, Group]) -> None:
    scan = RfcBudget(groups["root"])
    scan.begin(0, {})
    assert scan.look(S, {groups["D"]: 340_000}) == [(groups["D"], 340_000, 333_334)]


def test_the_scanned_group_itself_is_held_to_nothing(groups: dict[str, Group]) -> None:
    scan = RfcBudget(groups["root"])
    scan.begin(0, {})
    assert scan.look(S, {groups["root"]: 5 * US}) == []


def test_a_fresh_beginning_forgets_what_was_used(groups: dict[str, Group]) -> None:
    """So whoever opens and closes clients all the time is never told."""
    scan, a = RfcBudget(groups["root"], faithful=True), groups["A"]
    scan.begin(0, {})
    for second in range(1, 5):
        scan.begin(second * S - 1000, {a: second * US})
        assert scan.look(second * S, {a: second * US}) == []


@pytest.mark.parametrize("faithful", [False, True])
def test_the_end_frees_those_who_are_over_only_where_that_is_mended(
    groups: dict[str, Group],
    faithful: bool,  # noqa: FBT001 - a parameter of a test
) -> None:
    scan, a = RfcBudget(groups["root"], faithful=faithful), groups["A"]
    scan.begin(0, {})
    scan.look(S, {a: US})
    assert scan.end() == ([] if faithful else [(a, 0, 333_333_334)])
    assert scan.end() == []


@pytest.mark.parametrize(("faithful", "over"), [(False, False), (True, True)])
def test_two_classes_of_engines_are_twice_the_time_only_where_that_is_mended(
    groups: dict[str, Group],
    faithful: bool,  # noqa: FBT001 - a parameter of a test
    over: bool,  # noqa: FBT001 - a parameter of a test
) -> None:
    scan = RfcBudget(groups["root"], classes=2, faithful=faithful)
    scan.begin(0, {})
    assert bool(scan.look(S, {groups["A"]: 600_000})) == over


@pytest.mark.parametrize(("faithful", "budgets_us"), [(False, [222_223] * 3), (True, [666_667, 333_334, 333_334])])
def test_a_groups_own_clients_and_its_children_share_only_where_that_is_mended(
    groups: dict[str, Group],
    faithful: bool,  # noqa: FBT001 - a parameter of a test
    budgets_us: list[int],
) -> None:
    scan = RfcBudget(groups["root"], faithful=faithful)
    scan.begin(0, {})
    told = scan.look(S, {groups[name]: US for name in "BCD"})
    assert told == [(groups[name], US, budget_us) for name, budget_us in zip("BCD", budgets_us, strict=True)]


def test_a_group_that_comes_and_one_that_goes_are_looked_at_while_they_are_there(groups: dict[str, Group]) -> None:
    scan, a = RfcBudget(groups["root"]), groups["A"]
    scan.begin(0, {})
    new = Group("new", groups["root"])
    assert scan.look(S, {new: 300_000, a: US}) == [(a, US, 250_000), (new, 300_000, 250_000)]
    a.remove()
    assert scan.look(2 * S, {new: 300_000}) == [(new, 0, 333_334)]


# --- v6


def test_what_a_sibling_leaves_is_lent(groups: dict[str, Group]) -> None:
    scan = V6Budget(groups[""])
    scan.begin(0, {})
    assert scan.look(S, {groups["D"]: US}) == []
    # Each part is rounded up: two microseconds more than there are.
    assert scan.look(2 * S, {groups["D"]: 1_800_000, groups["A"]: 300_000}) == [
        (groups["D"], 800_000, 700_002),
        (groups["B"], 800_000, 700_001),
        (groups["root"], 1_100_000, US),
    ]


def test_usage_includes_those_below_and_all_who_want_more_are_told(groups: dict[str, Group]) -> None:
    scan = V6Budget(groups[""])
    scan.begin(0, {})
    used = {groups["C"]: 500_000, groups["D"]: 500_000, groups["A"]: US}
    assert scan.look(S, used) == [
        (groups["A"], US, 333_334),
        (groups["C"], 500_000, 333_334),
        (groups["D"], 500_000, 333_334),
        (groups["B"], US, 666_667),
        (groups["root"], 2 * US, US),
    ]
    assert scan.look(2 * S, used) == [(groups[name], 0, budget) for name, budget in (
        ("A", 333_334), ("C", 333_334), ("D", 333_334), ("B", 666_667), ("root", US))]  # fmt: skip
    assert scan.look(3 * S, used) == []


def test_the_end_frees_those_who_are_over(groups: dict[str, Group]) -> None:
    scan = V6Budget(groups[""])
    scan.begin(0, {})
    scan.look(S, {groups["D"]: 2 * US})
    assert scan.end() == [(groups["D"], 0, US + 2), (groups["B"], 0, US + 1), (groups["root"], 0, US)]
    assert scan.end() == []


def water(budget: int, wanted: dict[Group, int]) -> dict[Group, Fraction]:
    """Fill all up to what they want, by weight, exactly."""
    left, given_ = Fraction(budget), dict.fromkeys(wanted, Fraction(0))
    while left and (thirsty := [group for group in wanted if given_[group] < wanted[group]]):
        total = sum(group.weight for group in thirsty)
        step = min(left / total, *(Fraction(wanted[group] - given_[group]) / group.weight for group in thirsty))
        for group in thirsty:
            given_[group] += step * group.weight
        left -= step * total
    return given_


@given(
    children=st.lists(st.tuples(st.integers(1, 10_000), st.integers(0, 2 * US)), min_size=1, max_size=6),
    budget=st.integers(1, 2 * US),
)
def test_lending_fills_as_water_does_but_for_rounding(children: list[tuple[int, int]], budget: int) -> None:
    parent = Group()
    wanted: dict[Group, int] = {}
    for number, (weight, active) in enumerate(children):
        child = Group(str(number), parent)
        child.weight = weight
        wanted[child] = active
    budgets = divide(parent, budget, wanted)
    ideal = water(budget, wanted)
    for child, active in wanted.items():
        assert min(budgets[child], active) >= math.floor(min(ideal[child], Fraction(active)))
    lent = sum(min(budgets[child], active) for child, active in wanted.items())
    assert lent <= budget + len(children) ** 2
