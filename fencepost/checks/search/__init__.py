"""The searches: each chooses who runs next throughout one schedule, each strategy gives one for every schedule.

random_walk, pct, mix    chance, for ever
past  <-  dfs            everything, within a bound
replay                   what was chosen before
"""

from __future__ import annotations

from fencepost.checks.search.dfs import DfsStrategy
from fencepost.checks.search.mix import MixStrategy
from fencepost.checks.search.pct import PctStrategy
from fencepost.checks.search.random_walk import RandomStrategy
from fencepost.checks.search.replay import Replay
from fencepost.checks.search.strategy import Strategy

__all__ = ["DfsStrategy", "MixStrategy", "PctStrategy", "RandomStrategy", "Replay", "Strategy"]
