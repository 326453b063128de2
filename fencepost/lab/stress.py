"""A scenario under stress: run with many seeds, watched by all observers, and judged."""

from __future__ import annotations

from dataclasses import dataclass

from fencepost.errors import ActorFailed
from fencepost.lab.result import RunResult
from fencepost.lab.runner import run
from fencepost.lab.setup import Setup

__all__ = ["StressRun", "stress"]


@dataclass(frozen=True, slots=True)
class StressRun:
    """What came of one seed.

    Attributes:
        seed: with which `fencepost run` does the same again, as far as threads do anything again.
        jobs: that were submitted.
        errored, cancelled: how many of them ended so.
        faults: that were injected and hit something.
        recoveries: that followed.
        wall_s: on the clock on the wall.
        problems: what must never happen, one line each.
    """

    seed: int
    jobs: int
    errored: int
    cancelled: int
    faults: int
    recoveries: int
    wall_s: float
    problems: tuple[str, ...]


def stress(setup: Setup) -> StressRun:
    """Run a setup once and look for everything that must never happen. Client context; blocks."""
    try:
        result = run(setup)
    except ActorFailed as failed:
        return StressRun(setup.seed, 0, 0, 0, 0, 0, 0.0, (str(failed),))
    statistics = result.statistics
    return StressRun(
        seed=setup.seed,
        jobs=statistics.jobs_submitted,
        errored=statistics.jobs_errored,
        cancelled=statistics.jobs_cancelled,
        faults=sum(fault.hit for fault in result.faults),
        recoveries=len(result.recoveries),
        wall_s=result.wall_s,
        problems=tuple(problems(result)),
    )


def problems(result: RunResult) -> list[str]:
    """Return what must never happen and did."""
    statistics = result.statistics
    ended = statistics.jobs_completed + statistics.jobs_errored + statistics.jobs_cancelled
    facts = [
        (
            statistics.fences_signaled == statistics.fences_armed,
            f"{statistics.fences_armed} fences were armed and {statistics.fences_signaled} signalled",
        ),
        (ended == statistics.jobs_submitted, f"{statistics.jobs_submitted} jobs were submitted and {ended} ended"),
        (not statistics.tasks_left, f"{statistics.tasks_left} threads were left"),
        (result.deadlock is None, f"deadlock: {result.deadlock}"),
    ]
    found = (result.violations, result.races, result.lock_order, result.stalls)
    return [what for holds, what in facts if not holds] + [what for each in found for what in each or ()]
