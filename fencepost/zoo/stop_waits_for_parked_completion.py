"""A stop that waited without limit for a completion, which the one it had stopped was to carry out."""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.sync import Mailbox, current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]

LIMIT_S: Final = 1.0


class Scheduler:
    """Completes its job in a worker, which a callback of the hardware fence tells to."""

    def __init__(self) -> None:
        self.hardware = Fence(name="hardware fence")
        self.finished = Fence(name="finished fence")
        self._work: Mailbox[str] = current().mailbox("work")
        self._paused = Cell("paused", value=False)
        self.hardware.add_callback(self.job_done)

    def job_done(self, _fence: Fence) -> None:
        """Have the worker complete the job. Irq context."""
        self._work.put("complete")

    def work(self) -> None:
        """Complete the job, unless stopped."""
        if self._work.get() == "complete" and not self._paused.load():
            self.finished.signal()

    def recover(self) -> None:
        """Stop, and find out about the job; what has not completed by then is completed by the start."""
        self._paused.store(value=True)
        if not self.hardware.remove_callback(self.job_done):
            self.wait_for_completion()
        self.finished.signal()
        self._work.put("end")

    def wait_for_completion(self) -> None:
        """Wait for a completion that is under way, within reason."""
        self.finished.wait(LIMIT_S)


class SchedulerAsItWas(Scheduler):
    """Knows that a callback which cannot be taken back has run or runs, and takes the rest for granted."""

    def wait_for_completion(self) -> None:
        self.finished.wait()


def model(scheduler: Scheduler, runtime: Runtime) -> None:
    """Stop a scheduler while its job completes."""
    runtime.spawn(scheduler.work, "worker")
    runtime.spawn(scheduler.hardware.signal, "hardware")
    runtime.spawn(scheduler.recover, "TDR")


BUG = Bug(
    name="stop-waits-for-parked-completion",
    title=None,
    fix="open: raspberrypi/linux issue 7443, June 2026 (v3d, PREEMPT_RT)",
    symptom="a timeout handler hangs in the stop of its scheduler",
    interleaving="the hardware fence signals, and its callback leaves the rest to a worker; the handler stops the"
    " worker before that gets to it; the callback cannot be taken back, so the handler waits for the completion",
    repair="none is known; here, a limit to the wait",
    broken=lambda runtime: model(SchedulerAsItWas(), runtime),
    fixed=lambda runtime: model(Scheduler(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
