"""What came out of a run: the facts that the table, the plot and the JSON file tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fencepost.actors import RuntimeStatistics
from fencepost.events import Event

__all__ = [
    "CgroupResult",
    "ChangeResult",
    "EngineResult",
    "FaultResult",
    "RecoveryResult",
    "RunResult",
    "TimeSpread",
    "WorkloadResult",
]


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
        jobs_lost: that ended with an error.
        contexts_lost: that were banned or killed, and replaced.
        guilty: how many of these were banned for a hang or a fault of their own.
        device_lost: whether it ended because the device was lost.
        outages_us: see `runner.losses`.
        no_effect: steps that changed nothing in this simulator, with the reason, each once.
        cycle_times_us: of each cycle, for plots; not in the JSON file.
        cgroup: the path of the group that it began in; None in a run without control groups.
    """

    name: str
    client: str
    cycles: int
    cycles_per_s: float
    missed_periods: int
    time_us: TimeSpread | None
    gpu_time_us: Mapping[str, float]
    jobs_lost: int
    contexts_lost: int
    guilty: int
    device_lost: bool
    outages_us: tuple[float, ...]
    no_effect: tuple[str, ...]
    cycle_times_us: tuple[float, ...]
    cgroup: str | None = None


@dataclass(frozen=True, slots=True)
class EngineResult:
    """One engine. `busy_pct` is of the run's time."""

    name: str
    busy_us: float
    busy_pct: float
    jobs: int


@dataclass(frozen=True, slots=True)
class CgroupResult:
    """One control group with all below it, at the end of the run.

    Attributes:
        path: from the root, which is `/`.
        weight: on the GPU; None for the root, which has none.
        usage_us: GPU time of its jobs that are complete.
        engine_us: engine class -> GPU time there.
        share: of the GPU time that all groups took, on the classes of engines in full use; None when there was none.
        nr_throttled: how often it was held back by its cap.
        throttled_us: for how long, over all engines.
    """

    path: str
    weight: int | None
    usage_us: int
    engine_us: Mapping[str, int]
    share: float | None
    nr_throttled: int
    throttled_us: int


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """Something about control groups that was to be changed during the run.

    Attributes:
        at_s: when, after the start of the run.
        change: what, as `GROUP/FILE=TEXT` or `CLIENT -> GROUP`.
        outcome: done; not reached, when the run ended before; or the errno with which it was refused.
    """

    at_s: float
    change: str
    outcome: str


@dataclass(frozen=True, slots=True)
class FaultResult:
    """Something that went wrong on purpose.

    Attributes:
        at_s: when, after the start of the run.
        kind: see `lab.faults`.
        target: what it struck, or None for the device.
        hit: whether there was anything to strike.
    """

    at_s: float
    kind: str
    target: str | None
    hit: bool


@dataclass(frozen=True, slots=True)
class RecoveryResult:
    """What a driver did about a job that had had its time.

    Attributes:
        at_s: when it was taken up, after the start of the run.
        took_us: until the schedulers were told to go on.
        scheduler: whose job it was.
        client: whose job it was; None for a device that is gone.
        status: reset, no hang, or device gone.
    """

    at_s: float
    took_us: float
    scheduler: str
    client: str | None
    status: str


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run.

    Attributes:
        elapsed_s: in the world's time.
        wall_s: on the clock on the wall; not in the JSON file, which repeats itself to the byte in the virtual world.
        interrupted: it was ended early from outside.
        deadlock: the report of the deadlock that ended it, or None.
        violations: of the invariants, see `checks.invariants`; None when there were no events to look at.
        races, lock_order, stalls: what the observers of a native run found; None when they did not watch.
        faults: what went wrong on purpose.
        recoveries: in their order; of very many, the last.
        events: all of them, when they were kept.
        controller: who divided GPU time among control groups.
        driver: what the GPU's driver did for it; None in a run without control groups.
        cgroups: the root, then the others in the order of the setup; empty in a run without control groups.
        changes: to control groups, in the order of their times.
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
    races: tuple[str, ...] | None
    lock_order: tuple[str, ...] | None
    stalls: tuple[str, ...] | None
    faults: tuple[FaultResult, ...]
    recoveries: tuple[RecoveryResult, ...]
    workloads: tuple[WorkloadResult, ...]
    engines: tuple[EngineResult, ...]
    statistics: RuntimeStatistics
    events: tuple[Event, ...]
    controller: str = "none"
    driver: str | None = None
    cgroups: tuple[CgroupResult, ...] = ()
    changes: tuple[ChangeResult, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a JSON file. What was not looked for is null; nothing is said of groups without any."""
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
            "workloads": [_without(each, "cycle_times_us", *self._groupless) for each in self.workloads],
            "engines": [dataclasses.asdict(each) for each in self.engines],
            "faults": [dataclasses.asdict(each) for each in self.faults],
            "recoveries": [dataclasses.asdict(each) for each in self.recoveries],
            "jobs": {
                "submitted": statistics.jobs_submitted,
                "completed": statistics.jobs_completed,
                "errored": statistics.jobs_errored,
                "cancelled": statistics.jobs_cancelled,
            },
            "fences": {"armed": statistics.fences_armed, "signaled": statistics.fences_signaled},
            "threads": {"started": statistics.tasks_started, "left": statistics.tasks_left},
            "checks": {
                "races": self.races,
                "lock_order": self.lock_order,
                "stalls": self.stalls,
                "deadlocks": self.deadlock,
                "invariants": self.violations,
            },
            **self._of_groups(),
        }

    @property
    def _groupless(self) -> tuple[str, ...]:
        return () if self.cgroups else ("cgroup",)

    def _of_groups(self) -> dict[str, Any]:
        if not self.cgroups:
            return {}
        return {
            "controller": self.controller,
            "driver": self.driver,
            "cgroups": [dataclasses.asdict(each) for each in self.cgroups],
            "changes": [dataclasses.asdict(each) for each in self.changes],
        }


def _without(result: WorkloadResult, *names: str) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(result).items() if name not in names}
