"""Time budgets: the second proposal of October 2022.

Each child of the root that has a period is scanned on its own. A scan compares what the clients of each group below
have used since the last one with the group's part of that time, by weight among all its siblings, whether these want
anything or not. Who has used more is told so at each scan, and once when that is over. Nobody gets what others leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from fencepost.policies.group import DEFAULT_WEIGHT, Group

__all__ = ["BudgetSignal", "RfcBudget"]

BudgetSignal: TypeAlias = tuple[Group, int, int]
"""Whose clients are to be told, what they used, and what they were allowed, in microseconds."""

_NS_PER_US: Final = 1000
_NS_PER_S: Final = 1_000_000_000


class RfcBudget:
    """The scan of one child of the root and everything below it; that child itself is not held to anything.

    Use: `begin`, `look` after each period, `end`; and `begin` again whenever it has to start from fresh counts.

    Args:
        root: that child.
        classes: how many classes of engines usage adds up over.
        faithful: as it was posted. A second is one second of one class however many there are, so that who uses two
            classes looks like somebody over budget; the clients of a group that has children get the whole budget that
            the children divide again; the end of scanning frees nobody, as only the root is looked at then.
    """

    def __init__(self, root: Group, *, classes: int = 1, faithful: bool = False) -> None:
        self._root = root
        self._classes = 1 if faithful else classes
        self._faithful = faithful
        self._used_us: dict[Group, int] = {}
        self._over: dict[Group, int] = {}  # and the budget per second that they had
        self._then_ns = 0

    def begin(self, now_ns: int, used_us: Mapping[Group, int]) -> None:
        """Take what was used until now as the beginning."""
        self._then_ns = now_ns
        self._used_us = {group: used_us.get(group, 0) for group in self._root.walk()}

    def look(self, now_ns: int, used_us: Mapping[Group, int]) -> list[BudgetSignal]:
        """Compare what was used since the last look with the budgets; return who is to be told."""
        active_us = {group: max(0, used_us.get(group, 0) - self._used_us.get(group, 0)) for group in self._root.walk()}
        period_us = (now_ns - self._then_ns) // _NS_PER_US
        self.begin(now_ns, used_us)
        was_over, self._over = self._over, {}
        signals: list[BudgetSignal] = []
        for group, rate in self._rates(self._root, self._classes * _NS_PER_S, used_us):
            budget_us = _ceil(rate * period_us, _NS_PER_S)
            over = active_us[group] > budget_us
            if over:
                self._over[group] = rate
            if over or group in was_over:
                signals.append((group, active_us[group], budget_us))
        return signals

    def end(self) -> list[BudgetSignal]:
        """Return who is to be told that nobody looks any more."""
        over, self._over = self._over, {}
        return [] if self._faithful else [(group, 0, rate) for group, rate in over.items()]

    def _rates(self, parent: Group, rate: int, used_us: Mapping[Group, int]) -> Iterable[tuple[Group, int]]:
        """Yield each group below with what its own clients may use, in nanoseconds a second, parents first."""
        weights = sum(child.weight for child in parent.children.values())
        if not self._faithful and parent is not self._root and used_us.get(parent):
            weights += DEFAULT_WEIGHT
        for child in parent.children.values():
            granted = _ceil(rate * child.weight, weights)
            yield child, self._own_rate(child, granted, used_us)
            yield from self._rates(child, granted, used_us)

    def _own_rate(self, group: Group, rate: int, used_us: Mapping[Group, int]) -> int:
        """Tell what is there for a group's own clients: they count as one more child."""
        if self._faithful or not group.children or not used_us.get(group):
            return rate
        weights = sum(child.weight for child in group.children.values())
        return _ceil(rate * DEFAULT_WEIGHT, weights + DEFAULT_WEIGHT)


def _ceil(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
