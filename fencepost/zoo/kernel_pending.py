"""The pending list of a scheduler as in the kernel: a lock, and several who take from it."""

from __future__ import annotations

from fencepost.fences import Fence
from fencepost.sync import current
from fencepost.zoo.refcount import Counted

__all__ = ["PendingJob", "PendingList"]


class PendingJob(Counted):
    """A job that was given to the hardware, freed when its reference is put.

    Attributes:
        hardware: signals when it is complete.
    """

    def __init__(self, name: str = "job") -> None:
        super().__init__(name)
        self.hardware = Fence(name=f"hardware fence of {name}")


class PendingList:
    """Jobs on the hardware, oldest first.

    `lock` protects `jobs`. (kernel: job_list_lock, pending_list)

    Attributes:
        freed: how many were freed from here.
    """

    def __init__(self, *jobs: PendingJob) -> None:
        self.lock = current().lock()
        self.jobs = list(jobs)
        self.freed = 0

    def free_done(self) -> None:
        """Free the oldest job if it is complete. What the free worker does."""
        job = None
        with self.lock:
            if self.jobs and self.jobs[0].hardware.signaled:
                job = self.jobs.pop(0)
                self.freed += 1
        if job is not None:
            job.put()

    def peek(self) -> PendingJob | None:
        """Return the oldest job, and leave it in its place."""
        with self.lock:
            return self.jobs[0] if self.jobs else None

    def unlink(self) -> PendingJob | None:
        """Take the oldest job out, so that nobody else frees it."""
        with self.lock:
            return self.jobs.pop(0) if self.jobs else None

    def put_back(self, job: PendingJob) -> None:
        """Make a job that was taken out the oldest again."""
        with self.lock:
            self.jobs.insert(0, job)
