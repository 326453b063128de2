"""An end of all queues that ended only those which were dead already."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.guc import Guc, GucQueue
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import guc_with

__all__ = ["BUG"]


class QueueAsItWas(GucQueue):
    """Takes the end of the device to be about dead queues."""

    def close(self) -> None:
        if self.banned:
            super().close()


def model(guc: Guc, runtime: Runtime) -> None:
    """Give a device up while a job is on it."""
    job = guc.queue(runtime, "rcs0").entity.submit()
    job.scheduled.wait()
    guc.unload()
    job.finished.wait()


BUG = Bug(
    name="abort-skips-healthy-queues",
    title=None,
    fix="26c638d5602e (xe), date and title not known",
    symptom="jobs never end after a migration that failed, or when the driver is unloaded",
    interleaving="all queues are stopped for a migration; that fails, and the device is given up; dead queues are"
    " cleaned up, the others stay as they are, and their firmware has gone",
    repair="kill all",
    broken=lambda runtime: model(guc_with(queue=QueueAsItWas), runtime),
    fixed=lambda runtime: model(guc_with(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
