"""A device whose driver does in a recovery, and with a message, what the test says."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TypeAlias, cast

from fencepost.actors import Job, Recovery, Status
from fencepost.actors.procedure import Steps
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.sync import now_ns

__all__ = [
    "TIMEOUT_S",
    "TIMEOUT_US",
    "Answer",
    "ScriptedDriver",
    "lose",
    "no_hang",
    "reset",
    "timed_out_us",
]

TIMEOUT_S = 0.1
TIMEOUT_US = 100_000.0

Answer: TypeAlias = Callable[[Job, Recovery], Status | Steps[Status]]


class ScriptedDriver(MockBackend):
    """A mock device with a driver of few words.

    Args:
        answer: what `timedout_job` does; None is what the mock device does.

    Attributes:
        asked: the seqno of each job that it was asked about, and when, in us.
        log: what it ran, freed and processed, in order: numbers of jobs, "freed" and such a number, messages.
    """

    def __init__(self, answer: Answer | None = None) -> None:
        super().__init__()
        self.answer: Answer = super().timedout_job if answer is None else answer
        self.asked: list[tuple[int, float]] = []
        self.log: list[object] = []

    def run_job(self, job: Job) -> Fence:
        self.log.append(job.finished.seqno)
        return super().run_job(job)

    def free_job(self, job: Job) -> None:
        self.log.append(("freed", job.finished.seqno))
        super().free_job(job)

    def timedout_job(  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride]
        self, job: Job, recovery: Recovery
    ) -> Status | Steps[Status]:
        self.asked.append((job.finished.seqno, now_ns() / 1000))
        return self.answer(job, recovery)

    def process_message(self, message: object) -> Steps[None] | None:
        """Note it; one that can be called is carried out."""
        self.log.append(message)
        return cast("Callable[[], Steps[None] | None]", message)() if callable(message) else None


def timed_out_us(driver: ScriptedDriver) -> list[float]:
    """Tell when it was asked, in us."""
    return [when_us for _, when_us in driver.asked]


def lose(job: Job, error: int = -errno.EIO) -> None:
    """Do what a reset does to a job on the hardware."""
    backend = job.scheduler.backend
    assert isinstance(backend, MockBackend)
    backend.abort(job, error)


def reset(job: Job, _recovery: Recovery) -> Status:
    """Answer as a driver that has lost the job, and nothing else."""
    lose(job)
    return Status.RESET


def no_hang(_job: Job, _recovery: Recovery) -> Status:
    """Answer that the job goes on."""
    return Status.NO_HANG
