"""Budgets of which the unused part is shared: the series of 2022 to 2023, versions 2 to 6.

One scan looks at the whole tree. What the children of a group leave of their budgets goes to those that used more than
theirs, by weight, and no more to each than it used; and what a group was lent its children divide in turn.

What was used in the last period stands for what will be wanted in the next. So a group that was held back looks as if
it wanted little, and whoever begins to want something is held to the old budgets until the next scan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from fencepost.policies.cgroups.rfc_budget import BudgetSignal
from fencepost.policies.group import Group

__all__ = ["V6Budget"]

_NS_PER_US: Final = 1000


class V6Budget:
    """The scan of a whole tree. Use as `RfcBudget`; usage of a group includes that of the groups below."""

    def __init__(self, root: Group) -> None:
        self._root = root
        self._used_us: dict[Group, int] = {}
        self._over: dict[Group, int] = {}  # and the budget that they had
        self._then_ns = 0

    def begin(self, now_ns: int, used_us: Mapping[Group, int]) -> None:
        """Take what was used until now as the beginning."""
        self._then_ns = now_ns
        self._used_us = {group: used_us.get(group, 0) for group in self._root.walk()}

    def look(self, now_ns: int, used_us: Mapping[Group, int]) -> list[BudgetSignal]:
        """Compare what was used since the last look with the budgets; return who is to be told."""
        active_us: dict[Group, int] = {}
        self._add_up(self._root, used_us, active_us)
        budgets_us = {self._root: (now_ns - self._then_ns) // _NS_PER_US}
        self.begin(now_ns, used_us)
        for group in self._root.walk():
            budgets_us.update(divide(group, budgets_us[group], active_us))
        was_over = self._over
        self._over = {
            group: budgets_us[group]
            for group in children_first(self._root)
            if group is not self._root and active_us[group] > budgets_us[group]
        }
        return [
            (group, active_us[group], budgets_us[group])
            for group in children_first(self._root)
            if group in self._over or group in was_over
        ]

    def end(self) -> list[BudgetSignal]:
        """Return who is to be told that nobody looks any more."""
        over, self._over = self._over, {}
        return [(group, 0, budget_us) for group, budget_us in over.items()]

    def _add_up(self, group: Group, used_us: Mapping[Group, int], active_us: dict[Group, int]) -> int:
        own_us = max(0, used_us.get(group, 0) - self._used_us.get(group, 0))
        below_us = sum(self._add_up(child, used_us, active_us) for child in group.children.values())
        active_us[group] = own_us + below_us
        return active_us[group]


def divide(parent: Group, budget_us: int, active_us: Mapping[Group, int]) -> dict[Group, int]:
    """Divide a group's budget among its children, and what some leave among those that used more.

    All parts are rounded up, so a little more may be given away than there is.
    """
    children = parent.children.values()
    weights = sum(child.weight for child in children)
    budgets_us = {child: _ceil(budget_us * child.weight, weights) for child in children}
    unused_us = sum(max(0, budgets_us[child] - active_us[child]) for child in children)
    over: list[Group] = [child for child in children if active_us[child] > budgets_us[child]]
    while over and unused_us > 0:
        left_us, weights = unused_us, sum(child.weight for child in over)
        for child in over:
            lent_us = min(_ceil(left_us * child.weight, weights), active_us[child] - budgets_us[child])
            budgets_us[child] += lent_us
            unused_us -= lent_us
        over = [child for child in over if active_us[child] > budgets_us[child]]
    return budgets_us


def children_first(group: Group) -> Iterator[Group]:
    """Yield a group and everything below, children before their parents."""
    for child in group.children.values():
        yield from children_first(child)
    yield group


def _ceil(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
