"""What watches, and what searches: races found, explained and replayed.

search                      who runs next, throughout one schedule: random_walk, pct, replay
clock_policy, schedule      when deadlines may come; a schedule in a few characters
outcome  <-  strategies, shrink  <-  explore        a run, many runs, the shortest one that goes wrong
"""

from __future__ import annotations

from fencepost.checks.explore import Report, explore
from fencepost.checks.outcome import Kind, Model, Outcome

__all__ = ["Kind", "Model", "Outcome", "Report", "explore"]
