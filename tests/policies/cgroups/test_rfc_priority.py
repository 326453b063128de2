from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fencepost.policies.cgroups.rfc_priority import RfcPriority, effective_priority
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


BOTH = pytest.mark.parametrize("faithful", [False, True])


@BOTH
def test_a_write_counts_for_everybody_below(faithful: bool) -> None:  # noqa: FBT001 - of a test
    groups, controller = chain(0, 0, 0), RfcPriority(faithful=faithful)
    for group, priority in zip(reversed(groups), (-50, 100, -1000), strict=True):
        assert controller.write(group, priority)
    assert [controller.effective(group) for group in groups] == [-1000, -900, -950]


@BOTH
def test_what_was_there_is_no_write(faithful: bool) -> None:  # noqa: FBT001
    (group,), controller = chain(0), RfcPriority(faithful=faithful)
    assert not controller.write(group, 0)
    assert controller.write(group, 5)
    assert not controller.write(group, 5)
    assert group.priority == 5


@pytest.mark.parametrize(("faithful", "expected"), [(False, -1000), (True, 0)])
def test_a_new_group_inherits_only_where_that_is_mended(faithful: bool, expected: int) -> None:  # noqa: FBT001
    (parent,), controller = chain(0), RfcPriority(faithful=faithful)
    controller.write(parent, -1000)
    child = Group("B", parent)
    controller.write(child, 0)
    assert controller.effective(child) == expected
    controller.write(child, 50)
    assert controller.effective(child) == -950


def test_nothing_is_kept_of_a_group_that_is_gone() -> None:
    (group,), controller = chain(0), RfcPriority(faithful=True)
    controller.write(group, -1000)
    controller.forget(group)
    assert controller.effective(group) == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-10_000, 10_000)), max_size=20))
def test_without_new_groups_what_was_posted_comes_to_what_the_tree_says(writes: list[tuple[int, int]]) -> None:
    groups, controller = chain(0, 0, 0, 0, 0), RfcPriority(faithful=True)
    for which, priority in writes:
        controller.write(groups[which], priority)
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
    assert RfcPriority().levels(processes) == mended
    assert RfcPriority(faithful=True).levels(processes) == posted
