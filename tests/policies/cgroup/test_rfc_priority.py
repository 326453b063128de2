from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fencepost.policies.cgroup.rfc_priority import RfcPriority, effective_priority, priority_levels
from fencepost.policies.group import Group


def chain(*priorities: int) -> list[Group]:
    """Make a group in a group, and so on, below a root."""
    groups = [Group()]
    for number, priority in enumerate(priorities):
        groups.append(Group(str(number), groups[-1]))
        groups[-1].priority = priority
    return groups[1:]


@pytest.mark.parametrize(
    ("priorities", "expected"),
    [
        ((-1000, 0), (-1000, -1000)),
        ((-1000, 100), (-1000, -900)),
        ((-8000, -8000, 5000), (-8000, -10_000, -5000)),
        ((8000, 8000, -5000), (8000, 10_000, 5000)),
    ],
)
def test_priorities_add_up_within_the_range_at_each_level(
    priorities: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    groups = chain(*priorities)
    assert tuple(map(effective_priority, groups)) == expected


def test_a_write_tells_everybody_below() -> None:
    first, second, third = chain(0, 100, -50)
    for controller in (RfcPriority(), RfcPriority(faithful=True)):
        first.priority = 0
        assert list(controller.write(first, -1000)) == [(first, -1000), (second, -900), (third, -950)]
        assert list(controller.write(first, -1000)) == []
        assert controller.effective(third) == -950


@pytest.mark.parametrize(("faithful", "expected"), [(False, -1000), (True, 0)])
def test_a_new_group_inherits_only_where_that_is_mended(faithful: bool, expected: int) -> None:  # noqa: FBT001 - of a test
    root = Group()
    parent, controller = Group("A", root), RfcPriority(faithful=faithful)
    assert list(controller.write(parent, -1000)) == [(parent, -1000)]
    child = Group("B", parent)
    assert controller.effective(child) == expected
    assert list(controller.write(child, 50)) == [(child, -950)]
    controller.forget(child)
    assert controller.effective(parent) == -1000


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-10_000, 10_000)), max_size=20))
def test_writes_come_to_what_the_tree_says(writes: list[tuple[int, int]]) -> None:
    groups, controller = chain(0, 0, 0, 0, 0), RfcPriority()
    for which, priority in writes:
        for group, value in controller.write(groups[which], priority):
            assert value == effective_priority(group)
    assert [controller.effective(group) for group in groups] == [effective_priority(group) for group in groups]


LEVELS: list[tuple[list[list[int]], str, str]] = [
    ([], "n/a", "n/a"),
    ([[]], "n/a", "n/a"),
    ([[3], [3, 3]], "3", "3"),
    ([[3], [2047]], "3*", "3*"),
    ([[2047, 3]], "3*", "3*"),
    ([[3], [0]], "0", "0*"),
    ([[], [3]], "3", "3"),
    ([[3], []], "3", "3*"),
]


@pytest.mark.parametrize(("processes", "mended", "posted"), LEVELS)
def test_levels_are_those_that_all_clients_have(processes: list[list[int]], mended: str, posted: str) -> None:
    assert priority_levels(processes) == mended
    assert priority_levels(processes, faithful=True) == posted
