"""A device that was powered off and on, for which whoever had a job on it was banned."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.guc import Guc
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class DeviceAsItWas(Guc):
    """Knows no reset for which nobody is guilty."""

    def reset(self, reason: str, *, blame: bool = True) -> None:
        del blame
        super().reset(reason)


def model(guc: Guc, runtime: Runtime) -> None:
    """Power a device off and on under a job that runs until it is told to end."""
    job = guc.queue(runtime, "rcs0").entity.submit()
    runtime.world.sleep(1)
    guc.reset("powered off", blame=False)
    runtime.world.sleep(1)
    guc.terminate(job)
    job.finished.wait()
    assert job.finished.error == 0, "a queue is banned for a loss of power"


BUG = Bug(
    name="power-loss-blamed",
    title=None,
    fix="a patch of May 2026, on suspending xe's long-running queues; commit and title not known",
    symptom="long-running queues do not survive that the machine sleeps",
    interleaving="the device loses power, and what was on it is brought back as after a reset; who has a job that has"
    " started and is not complete is taken for guilty, which is what long-running jobs always are",
    repair="blame nobody for a loss of power",
    broken=lambda runtime: model(DeviceAsItWas({"rcs": 1}), runtime),
    fixed=lambda runtime: model(Guc({"rcs": 1}), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
