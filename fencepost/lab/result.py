"""What came out of a run: the facts that the table, the plot and the JSON file tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fencepost.actors import RuntimeStatistics
from fencepost.events import Event

__all__ = ["EngineResult", "RunResult", "TimeSpread", "WorkloadResult"]


@dataclass(frozen=True, slots=True)
class TimeSpread:
    """How long the cycles of a client took, in us, the wait for the end of the period not included."""

    avg: float
    min: float
    max: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class WorkloadResult:
    """One client.

    Attributes:
        name: of the workload.
        client: of the client.
        cycles: how many times it went through.
        cycles_per_s: over the time from its start to its end.
        missed_periods: how many times it came too late for the end of its period.
        time_us: None when it finished no cycle.
        gpu_time_us: engine name -> time its batches took there.
        no_effect: steps that changed nothing in this simulator, with the reason, each once.
        cycle_times_us: of each cycle, for plots; not in the JSON file.
    """

    name: str
    client: str
    cycles: int
    cycles_per_s: float
    missed_periods: int
    time_us: TimeSpread | None
    gpu_time_us: Mapping[str, float]
    no_effect: tuple[str, ...]
    cycle_times_us: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class EngineResult:
    """One engine. `busy_pct` is of the run's time."""

    name: str
    busy_us: float
    busy_pct: float
    jobs: int


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run.

    Attributes:
        elapsed_s: in the world's time.
        wall_s: on the clock on the wall; not in the JSON file, which repeats itself to the byte in the virtual world.
        interrupted: it was ended early from outside.
        deadlock: the report of the deadlock that ended it, or None.
        violations: of the invariants, see `checks.invariants`; None when there were no events to look at.
        events: all of them, when they were kept.
    """

    title: str
    world: str
    dispatch: str
    policy: str
    submission: str
    credit_limit: int
    seed: int
    elapsed_s: float
    wall_s: float
    interrupted: bool
    deadlock: str | None
    violations: tuple[str, ...] | None
    workloads: tuple[WorkloadResult, ...]
    engines: tuple[EngineResult, ...]
    statistics: RuntimeStatistics
    events: tuple[Event, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a JSON file. What was not looked for is null."""
        statistics = self.statistics
        return {
            "title": self.title,
            "world": self.world,
            "dispatch": self.dispatch,
            "policy": self.policy,
            "submission": self.submission,
            "credits": self.credit_limit,
            "seed": self.seed,
            "elapsed_s": self.elapsed_s,
            "interrupted": self.interrupted,
            "workloads": [_without(each, "cycle_times_us") for each in self.workloads],
            "engines": [dataclasses.asdict(each) for each in self.engines],
            "jobs": {
                "submitted": statistics.jobs_submitted,
                "completed": statistics.jobs_completed,
                "errored": statistics.jobs_errored,
                "cancelled": statistics.jobs_cancelled,
            },
            "fences": {"armed": statistics.fences_armed, "signaled": statistics.fences_signaled},
            "threads": {"started": statistics.tasks_started, "left": statistics.tasks_left},
            "checks": {
                "races": None,
                "lock_order": None,
                "deadlocks": self.deadlock,
                "invariants": self.violations,
            },
        }


def _without(result: WorkloadResult, *names: str) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(result).items() if name not in names}
