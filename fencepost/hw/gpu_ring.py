"""A ring of a GPU, which is recovered together with the others."""

from __future__ import annotations

from fencepost.actors import Job, Recovery
from fencepost.actors.recovery import StatusSteps
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.gpu_recovery import GpuRecovery
from fencepost.hw.ring import Ring

__all__ = ["GpuRing"]


class GpuRing(Ring):
    """A ring made by `Gpu.ring`.

    Attributes:
        recovered_with: the GPU: schedulers of its rings share a reset domain.
    """

    def __init__(self, engine: ClockedEngine, priority: int, preempt_us: int, gpu: GpuRecovery) -> None:
        super().__init__(engine, priority, preempt_us)
        self.recovered_with = gpu

    def timedout_job(self, job: Job, recovery: Recovery) -> StatusSteps:
        """Have the GPU recovered, by its policy.

        A job that others have kept from the engine does not hang, and gets its time anew.
        """
        return self.recovered_with.recover(recovery, job)
