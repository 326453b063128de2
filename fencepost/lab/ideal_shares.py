"""How GPU time would be divided if weights were all that counted.

Down the tree of control groups, at each level by weight among those who want something; what one does not want is
divided among its siblings first. The clients in a group itself stand beside the groups in it as if they were one more,
of the default weight. So `hweight` has it, without jobs, which cannot be divided.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from fencepost.policies.group import DEFAULT_WEIGHT

__all__ = ["ALL", "ROOT", "ideal_shares", "lineage", "poured"]

ROOT: Final = "/"
"""The path of the root; others are `/A`, `/A/B`."""

ALL: Final = math.inf
"""What somebody wants who always has more to do."""


def ideal_shares(wants: Mapping[str, float], weights: Mapping[str, int], amount: float) -> dict[str, float]:
    """Divide an amount among groups.

    Args:
        wants: path -> how much the clients in the group itself want, `ALL` for whatever they can get.
        weights: path -> weight; of a group that is not here, the default.
        amount: what there is.

    Returns:
        Path -> what a group gets with all below it, of each group that is named and all above.
    """
    tree = _Tree(wants, weights)
    shares = {ROOT: min(amount, tree.wanted(ROOT))}
    tree.divide(ROOT, shares)
    return shares


def lineage(path: str) -> Iterator[str]:
    """Yield a group and all above it, the root last."""
    while path != ROOT:
        yield path
        path = _parent(path)
    yield ROOT


def poured(amount: float, vessels: Sequence[tuple[int, float]]) -> list[float]:
    """Divide an amount by weight, so that nobody gets more than it wants.

    Args:
        amount: what there is.
        vessels: weight and wish of each.
    """
    given = [0.0] * len(vessels)
    thirsty = set(range(len(vessels)))
    while thirsty:
        for_one = amount / sum(vessels[each][0] for each in thirsty)
        sated = {each for each in thirsty if vessels[each][1] <= vessels[each][0] * for_one}
        if not sated:
            for each in thirsty:
                given[each] = vessels[each][0] * for_one
            break
        for each in sated:
            given[each] = vessels[each][1]
            amount -= given[each]
        thirsty -= sated
    return given


class _Tree:
    """The groups that are named, and all above them."""

    def __init__(self, wants: Mapping[str, float], weights: Mapping[str, int]) -> None:
        self._wants = wants
        self._weights = weights
        self._children: dict[str, list[str]] = {}
        for path in _in_order(wants):
            self._children[path] = []
            if path != ROOT:
                self._children[_parent(path)].append(path)

    def wanted(self, path: str) -> float:
        """Add up what a group wants with all below it."""
        return self._wants.get(path, 0.0) + sum(map(self.wanted, self._children[path]))

    def divide(self, path: str, shares: dict[str, float]) -> None:
        """Divide the share of a group among those in it."""
        children = self._children[path]
        vessels = [(self._weights.get(child, DEFAULT_WEIGHT), self.wanted(child)) for child in children]
        own = (DEFAULT_WEIGHT, self._wants.get(path, 0.0))
        for child, share in zip(children, poured(shares[path], [*vessels, own]), strict=False):
            shares[child] = share
            self.divide(child, shares)


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or ROOT


def _in_order(paths: Iterable[str]) -> list[str]:
    """Return groups and all above them, each after its parent."""
    return sorted({each for path in paths for each in lineage(path)} | {ROOT}, key=lambda path: path.split("/"))
