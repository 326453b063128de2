"""What is done to the jobs of a halted GPU: from what is known to a verdict, from that to marks on commands."""

from __future__ import annotations

from dataclasses import dataclass

from fencepost.actors import Recovery
from fencepost.hw.agx.command import Command
from fencepost.hw.agx.result import Result
from fencepost.hw.agx.shared import Halt
from fencepost.hw.agx.submission import Submission
from fencepost.policies.recovery import Action, Evidence, PendingJob, Verdict

__all__ = ["OnHardware", "carry_out", "evidence"]


@dataclass(frozen=True, slots=True)
class OnHardware:
    """What a halt has left.

    Attributes:
        halt: why everything was halted.
        live: the jobs that have not ended, in the order in which they came.
        cut: the commands that were being executed. Their jobs are live, unless they were cancelled.
    """

    halt: Halt
    live: tuple[Submission, ...]
    cut: tuple[Command, ...]

    def described(self, recovery: Recovery) -> list[PendingJob]:
        """Put the live jobs before a recovery policy."""
        interrupted = {command.submission for command in self.cut}
        return [
            recovery.describe(each.job, started=each.started, complete=False, interrupted=each in interrupted)
            for each in self.live
        ]


def evidence(on_hardware: OnHardware) -> Evidence:
    """Put together what is known: the address space of a fault, or the queue whose command did not end."""
    halt, cut = on_hardware.halt, on_hardware.cut
    culprits = frozenset(
        each.submission.queue for each in cut if each.queue.slot and each.queue.slot.index == halt.slot
    )
    vms = frozenset[str]() if halt.vm is None else frozenset([halt.vm])
    result = halt.result if culprits or vms else Result.UNKNOWN
    return Evidence(vms, culprits, running=frozenset(each.submission.queue for each in cut), error=result.error)


def carry_out(verdict: Verdict, on_hardware: OnHardware) -> tuple[Submission, ...]:
    """Mark commands: those of killed jobs are skipped, those that were cut off and may run again are restarted.

    All others that were cut off are given up when the firmware goes on. Returns the killed jobs: they end after it.
    """
    live = on_hardware.live
    killed = [each for each, fate in zip(live, verdict.fates, strict=True) if fate.action is Action.KILL]
    again = {each for each, fate in zip(live, verdict.fates, strict=True) if fate.action is Action.REQUEUE}
    for submission, fate in zip(live, verdict.fates, strict=True):
        if fate.action is Action.KILL:
            submission.kill(fate.error)
    for command in on_hardware.cut:
        command.restart = command.submission in again
    return tuple(killed)
