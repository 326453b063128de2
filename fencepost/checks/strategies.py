"""The search strategies by the names that people give them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from fencepost.checks.search.dfs import DfsStrategy
from fencepost.checks.search.mix import MixStrategy
from fencepost.checks.search.pct import PctStrategy
from fencepost.checks.search.random_walk import RandomStrategy
from fencepost.checks.search.strategy import Strategy
from fencepost.errors import BadInput

__all__ = ["STRATEGIES", "new_strategy"]


def unseeded(_seed: int) -> DfsStrategy:
    """Make a search that needs no chance."""
    return DfsStrategy()


STRATEGIES: Final[Mapping[str, Callable[[int], Strategy]]] = MappingProxyType(
    {"random": RandomStrategy, "pct": PctStrategy, "mix": MixStrategy, "dfs": unseeded}
)
"""Name -> what makes the strategy from a seed."""

NUMBERED: Final = re.compile(r"(pct|dfs)(\d{1,2})")


def new_strategy(name: str, seed: int, where: str = "strategy") -> Strategy:
    """Make the strategy of this name: one of `STRATEGIES`, `pctN` with a depth of N, `dfsN` with N preemptions at most.

    Raises:
        BadInput: when there is none.
    """
    numbered = NUMBERED.fullmatch(name)
    if numbered is not None and name != "pct0":
        number = int(numbered[2])
        return PctStrategy(seed, number) if numbered[1] == "pct" else DfsStrategy(number)
    if name not in STRATEGIES:
        raise BadInput(where, repr(name), f"one of {', '.join(STRATEGIES)}, or pctN or dfsN with a number")
    return STRATEGIES[name](seed)
