"""A scheduler that went while hardware fences still had callbacks that used it."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.zoo.bug import Bug
from fencepost.zoo.refcount import Counted

__all__ = ["BUG"]


class Scheduler(Counted):
    """Is told of the end of its job by a callback."""

    def __init__(self, hardware: Fence) -> None:
        super().__init__("scheduler")
        self._hardware = hardware
        hardware.add_callback(self.job_done)

    def job_done(self, _fence: Fence) -> None:
        self.touch()

    def fini(self) -> None:
        """Go, whatever the hardware still has."""
        self.detach()
        self.put()

    def detach(self) -> None:
        """Take the callback back, or wait until it has run."""
        self._hardware.remove_callback(self.job_done)


class SchedulerAsItWas(Scheduler):
    """Believes that nothing is in flight."""

    def detach(self) -> None:
        pass


def model(scheduler_class: type[Scheduler], runtime: Runtime) -> None:
    """Close a queue, and so its scheduler, while its job completes."""
    hardware = Fence(name="hardware fence")
    scheduler = scheduler_class(hardware)
    runtime.spawn(scheduler.fini, "close")
    runtime.spawn(hardware.signal, "hardware")


BUG = Bug(
    name="scheduler-freed-before-its-callbacks",
    title=None,
    fix="proposals of A. Lina and, in 2025, of P. Stanner, of which the titles are not known",
    symptom="use after free in the callback of a hardware fence, after a scheduler was destroyed",
    interleaving="the scheduler is destroyed while a job is on the hardware; the hardware fence signals, and its"
    " callback uses the scheduler",
    repair="detach the callbacks and wait for those that run, before the scheduler goes",
    broken=lambda runtime: model(SchedulerAsItWas, runtime),
    fixed=lambda runtime: model(Scheduler, runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
