"""What watches, and what searches: races found, explained and replayed.

search  <-  strategies      who runs next, throughout one schedule; what people call the strategies
clock_policy, schedule      when deadlines may come; a schedule in a few characters
watched_fields, steady      what is a step besides locks and mailboxes; what must not be one
account  <-  outcome        the steps of a run in words; what it came to
determinism, shrink         the same choices, the same run; the simplest run that goes wrong
report  <-  explore         many runs, and what is told of the one that goes wrong
fence_rules  <-  observers  the cross-driver rules of fences; all that watch one world
poison, claims              what was freed refuses to be used; who holds what others wait for
resource_watch  <-  resource_deadlock, livelock    jobs that hold what they wait for; that take and drop it for ever
history  <-  linearise      what was done to one object, and whether some order explains it
"""

from __future__ import annotations

from fencepost.checks.explore import explore
from fencepost.checks.fence_history import record_fence
from fencepost.checks.history import History
from fencepost.checks.linearise import NoOrder, check_history
from fencepost.checks.livelock import Livelocks
from fencepost.checks.outcome import Kind, Model, Outcome
from fencepost.checks.report import Report
from fencepost.checks.resource_deadlock import ResourceDeadlocks
from fencepost.checks.timeline_history import record_timeline

__all__ = [
    "History",
    "Kind",
    "Livelocks",
    "Model",
    "NoOrder",
    "Outcome",
    "Report",
    "ResourceDeadlocks",
    "check_history",
    "explore",
    "record_fence",
    "record_timeline",
]
