"""What went wrong for one client, and for how long."""

from __future__ import annotations

from fencepost.actors import Job

__all__ = ["Losses"]


class Losses:
    """Counts what a client lost. Belongs to the client's task.

    Attributes:
        jobs: how many ended with an error.
        contexts: how many were banned or killed, and replaced.
        guilty: how many of these were banned for what they did themselves.
        device: whether the device itself was lost, which ends the client.
        outages_us: for each time jobs were lost: how long it was from the last job that completed before to the first
            that completed after.
    """

    def __init__(self) -> None:
        self.jobs = 0
        self.contexts = 0
        self.guilty = 0
        self.device = False
        self.outages_us: list[float] = []
        self._completed_ns: int | None = None
        self._lost_ns: int | None = None

    def note(self, job: Job) -> None:
        """Note how a job ended."""
        fence = job.finished
        end_ns = fence.timestamp_ns
        if fence.error:
            self.jobs += 1
            if self._lost_ns is None:
                self._lost_ns = end_ns
        elif self._lost_ns is None or end_ns <= self._lost_ns:
            self._completed_ns = end_ns
        else:
            # A client that lost its first job has been waiting for its first success since then.
            since_ns = self._lost_ns if self._completed_ns is None else self._completed_ns
            self.outages_us.append((end_ns - since_ns) / 1000)
            self._completed_ns, self._lost_ns = end_ns, None
