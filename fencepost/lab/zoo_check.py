"""Whether the search still finds a bug of the zoo, and nothing where it is mended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fencepost.checks import Report
from fencepost.checks.strategies import STRATEGIES
from fencepost.sync import now_ns
from fencepost.zoo import REQUIRED, Bug

__all__ = ["BugResult", "Hunt", "check_bug"]


@dataclass(frozen=True, slots=True)
class Hunt:
    """One exploration of a bug by one strategy.

    Attributes:
        report: what it came to.
        found: whether that is what the bug's entry says.
        elapsed_us: how long it took, with the shrinking of what was found.
    """

    report: Report
    found: bool
    elapsed_us: float


@dataclass(frozen=True, slots=True)
class BugResult:
    """What became of one bug.

    Attributes:
        bug: which.
        hunts: by strategy.
        twin: the exploration of the same model without the bug.
    """

    bug: Bug
    hunts: Mapping[str, Hunt]
    twin: Report

    @property
    def good(self) -> bool:
        """Whether it was found by the strategy that must, and its twin is clean."""
        return self.hunts[REQUIRED].found and not self.twin.found

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a JSON file."""
        required = self.hunts[REQUIRED]
        report = required.report
        return {
            "name": self.bug.name,
            "found": required.found,
            "kind": report.kind,
            "message": report.message,
            "replay": report.replay_token,
            "found_after": {name: hunt.report.schedules if hunt.found else None for name, hunt in self.hunts.items()},
            "elapsed_ms": required.elapsed_us / 1000,
            "twin": {"clean": not self.twin.found, "schedules": self.twin.schedules, "message": self.twin.message},
        }


def check_bug(bug: Bug, *, schedules: int, twin_schedules: int, seed: int) -> BugResult:
    """Search for a bug by every strategy, then in its twin by the one that must find it. Client context.

    Args:
        bug: the entry.
        schedules: within how many it must be found.
        twin_schedules: how many of the twin to try.
        seed: of the strategies.
    """
    hunts = {strategy: hunt_down(bug, strategy, schedules, seed) for strategy in STRATEGIES}
    return BugResult(bug, hunts, bug.search_twin(twin_schedules, seed=seed))


def hunt_down(bug: Bug, strategy: str, schedules: int, seed: int) -> Hunt:
    """Explore the model of a bug."""
    start_ns = now_ns()
    report = bug.search(schedules, seed=seed, strategy=strategy)
    return Hunt(report, report.kind in bug.finds, (now_ns() - start_ns) / 1000)
