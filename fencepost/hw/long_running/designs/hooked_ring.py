"""A ring whose driver can be given a mistake."""

from __future__ import annotations

from collections.abc import Callable

from fencepost.actors import Job
from fencepost.fences import Fence
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.ring import Ring
from fencepost.sync.observer import signalling

__all__ = ["HookedRing"]


class HookedRing(Ring):
    """Calls `before_run` with the name of the work before it gives a job to the engine, in a signalling section."""

    def __init__(
        self, engine: ClockedEngine, priority: int, preempt_us: int, before_run: Callable[[str], object]
    ) -> None:
        super().__init__(engine, priority, preempt_us)
        self._before_run = before_run

    def run_job(self, job: Job) -> Fence:
        with signalling():
            self._before_run(job.entity.name)
            return super().run_job(job)
