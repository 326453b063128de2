"""What watches, and what searches: races found, explained and replayed.

search  <-  strategies      who runs next, throughout one schedule; what people call the strategies
clock_policy, schedule      when deadlines may come; a schedule in a few characters
watched_fields, steady      what is a step besides locks and mailboxes; what must not be one
account  <-  outcome        the steps of a run in words; what it came to
determinism, shrink         the same choices, the same run; the simplest run that goes wrong
report  <-  explore         many runs, and what is told of the one that goes wrong
"""

from __future__ import annotations

from fencepost.checks.explore import explore
from fencepost.checks.outcome import Kind, Model, Outcome
from fencepost.checks.report import Report

__all__ = ["Kind", "Model", "Outcome", "Report", "explore"]
