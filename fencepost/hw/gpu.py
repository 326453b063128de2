"""A GPU: engines that execute in hardware time, and the rings that feed them."""

from __future__ import annotations

from collections.abc import Mapping

from fencepost.actors import Job
from fencepost.actors.job import JobState
from fencepost.errors import BadInput, WrongState
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.engine_classes import DEFAULT_ENGINES, check_engines
from fencepost.hw.execution import PageFault
from fencepost.hw.gpu_recovery import GpuRecovery
from fencepost.hw.gpu_ring import GpuRing
from fencepost.hw.ring import Ring
from fencepost.hw.statistics import EngineStatistics, GpuStatistics
from fencepost.policies import Priority, RecoveryPolicy, new_recovery

__all__ = ["Gpu"]

DEFAULT_PREEMPT_US = 100
"""Real engines can be preempted within a batch, and a workload says so where they cannot (`X.CTX.0`)."""


class Gpu:
    """Engines, each of which executes one batch at a time, chosen among its rings.

        gpu = Gpu({"rcs": 1, "vcs": 2})
        scheduler = rt.scheduler(gpu.ring("rcs0"), name="rcs0")
        job = scheduler.entity(client="game").submit(duration_us=500, work=Batch(preempt_us=50))

    An engine serves the most important ring, among equals the one that waits longest. A batch that runs gives way to a
    more important ring at its next point of preemption, and resumes later. Time on an engine is computed, not measured:
    a batch starts when it arrives or when the engine is free, however late the thread is that tells of it.

    A job without a duration runs until it is terminated: it hangs. The rings of a GPU are for the schedulers of one
    runtime, and these share a reset domain: what hangs or faults is recovered by one policy.

    Args:
        engines: how many there are of each class: rcs, bcs, vcs, vecs, ccs; 1 to 64 each.
        preempt_us: where batches can be preempted that do not say it themselves. See `Batch`.
        recovery: who pays for a hang or a fault: engine_reset, kill_vm, full_reset, or a policy of your own.

    Attributes:
        engines: by class, the names of its engines: `{"vcs": ("vcs0", "vcs1")}`.

    Raises:
        BadInput: for an unknown class, a count outside of 1 to 64, no engines, a negative `preempt_us`, an unknown
            recovery.
    """

    def __init__(
        self,
        engines: Mapping[str, int] = DEFAULT_ENGINES,
        *,
        preempt_us: int = DEFAULT_PREEMPT_US,
        recovery: str | RecoveryPolicy = "engine_reset",
    ) -> None:
        check_engines(engines, "engines")
        if preempt_us < 0:
            raise BadInput("preempt_us", str(preempt_us), "0 (never) or more")
        self.engines: Mapping[str, tuple[str, ...]] = {
            engine_class: tuple(f"{engine_class}{instance}" for instance in range(count))
            for engine_class, count in engines.items()
        }
        self._preempt_us = preempt_us
        self._engines = {name: ClockedEngine(name) for names in self.engines.values() for name in names}
        self._recovery = GpuRecovery(self._engines, new_recovery(recovery))

    def ring(self, engine: str, *, priority: int = Priority.NORMAL) -> GpuRing:
        """Make a ring of an engine, to be given to one scheduler. Client context.

        Args:
            engine: its name, such as `vcs1`.
            priority: against the other rings of the engine; the lower number is the more important one.

        Raises:
            BadInput: for an engine that it has not.
        """
        clocked_engine = self._engine(engine)
        return GpuRing(clocked_engine, priority, self._preempt_us, self._recovery)

    def terminate(self, job: Job) -> None:
        """End a job, as if its batch had been told to stop. Any context; idempotent.

        One that runs ends now. One that waits for its engine takes no more time of it, and ends when its turn has come;
        so does one that is not on the hardware yet. A job with a duration ends early; a complete one is ignored.

        Raises:
            WrongState: for a job that is not armed.
            ValueError: for a job of a scheduler whose backend is no ring of this GPU.
        """
        self._ring_of(job).terminate(job)

    # What can go wrong.

    def fault(self, job: Job, *, vm_known: bool = True) -> None:
        """Have a job fault: now if it runs, else when it will. It gets stuck, and is recovered. Any context.

        Args:
            job: an armed job; one that is complete is ignored.
            vm_known: whether the hardware can tell whose address space it was.

        Raises:
            WrongState, ValueError: as `terminate`.
        """
        self._engine(self._ring_of(job).engine).fault(job, PageFault(vm_known))

    def reset(self, engine: str) -> bool:
        """Reset an engine under what runs on it; False when nothing does. Never blocks; any context.

        Raises BadInput for an engine that it has not.
        """
        job = self._engine(engine).running_job()
        if job is None:
            return False
        self._recovery.report_reset(job)
        return True

    def break_resets(self) -> None:
        """Have all resets fail from now on: the next recovery ends with a wedged device. Any context."""
        self._recovery.broken = True

    def statistics(self) -> GpuStatistics:
        """Count what the engines did, up to now: also for batches that still run. Any context."""
        engines: dict[str, EngineStatistics] = {}
        clients: dict[tuple[str, str], int] = {}
        for name, clocked_engine in self._engines.items():
            engines[name], busy_ns = clocked_engine.statistics()
            clients |= {(client, name): ns for client, ns in busy_ns.items()}
        return GpuStatistics(engines, clients)

    def _engine(self, name: str) -> ClockedEngine:
        if name not in self._engines:
            raise BadInput("engine", repr(name), f"one of {', '.join(self._engines)}")
        return self._engines[name]

    def _ring_of(self, job: Job) -> Ring:
        if job.state is JobState.NEW:
            raise WrongState(f"{job!r} is not armed: nobody knows yet where it will run")
        ring = job.scheduler.backend
        if not isinstance(ring, Ring) or not ring.feeds(self._engines):
            raise ValueError(f"{job!r} goes to {ring!r}, expected a ring of this GPU")
        return ring

    def __repr__(self) -> str:
        return f"<Gpu {', '.join(f'{name}={len(names)}' for name, names in self.engines.items())}>"
