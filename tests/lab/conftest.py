"""What the tests of reports share: results made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fencepost.actors import RuntimeStatistics
from fencepost.lab.result import EngineResult, RunResult, TimeSpread, WorkloadResult


@pytest.fixture
def workload_result() -> Callable[..., WorkloadResult]:
    """Give a function that makes the result of a client."""

    def make(client: str, **facts: Any) -> WorkloadResult:  # noqa: ANN401
        given: dict[str, Any] = {
            "name": "game",
            "cycles": 1200,
            "cycles_per_s": 59.9,
            "missed_periods": 7,
            "time_us": TimeSpread(avg=9876.5, min=500, max=40000, p50=9000, p99=16667),
            "gpu_time_us": {"rcs0": 1_500_000.0},
            "jobs_lost": 0,
            "contexts_lost": 0,
            "guilty": 0,
            "device_lost": False,
            "outages_us": (),
            "no_effect": (),
            "cycle_times_us": (),
        }
        return WorkloadResult(client=client, **{**given, **facts})

    return make


@pytest.fixture
def run_result(workload_result: Callable[..., WorkloadResult]) -> Callable[..., RunResult]:
    """Give a function that makes the result of a run."""

    def make(**facts: Any) -> RunResult:  # noqa: ANN401
        given: dict[str, Any] = {
            "title": "A game",
            "world": "virtual",
            "dispatch": "thread",
            "policy": "fair",
            "submission": "ring",
            "credit_limit": 2,
            "seed": 1,
            "elapsed_s": 5.0,
            "wall_s": 0.5,
            "interrupted": False,
            "deadlock": None,
            "violations": None,
            "races": None,
            "lock_order": None,
            "stalls": None,
            "faults": (),
            "recoveries": (),
            "workloads": (workload_result("game"),),
            "engines": (EngineResult("rcs0", busy_us=1_500_000.0, busy_pct=30.0, jobs=1200),),
            "statistics": RuntimeStatistics(1200, 1200, 0, 0, 2400, 2400, 9, 0),
            "events": (),
        }
        return RunResult(**{**given, **facts})

    return make
