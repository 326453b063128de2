"""Stop-the-world recovery: the GPU is halted, the driver marks what is lost, and the firmware goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fencepost.actors import Job, Recovery, Status, Steps, Until
from fencepost.actors.recovery import StatusSteps
from fencepost.hw.agx.driver import Driver
from fencepost.hw.agx.marking import evidence
from fencepost.hw.agx.messages import HaltRequest, Resume
from fencepost.hw.agx.shared import Halt
from fencepost.hw.agx.submission import Submission
from fencepost.policies.recovery import RecoveryPolicy, Reset, Verdict, wedge
from fencepost.sync import NS_PER_S

__all__ = ["HALT_LIMIT", "PATIENCE_S", "HaltCycle"]

PATIENCE_S: Final = 0.1
HALT_LIMIT: Final = 5


class HaltCycle:
    """How one device recovers: *running* -> *halted* -> *marked* -> *resumed*; or it is *wedged*, or has *crashed*.

    The steps are taken by the timeout handler of the device, with all its schedulers stopped. In the kernel's driver
    marking comes before the wait for the halt; here after it, since what is not known to stand still may complete.
    (asahi: gpu.rs, recover)

    Args:
        driver: whose jobs these are.
        policy: who is killed, and who may run again.
        patience_s: how long it waits for the firmware.
        limit: how many halts one recovery may take: something may go wrong again as soon as the firmware goes on.
    """

    def __init__(self, driver: Driver, policy: RecoveryPolicy, *, patience_s: float, limit: int) -> None:
        self._driver = driver
        self._shared = driver.shared
        self._policy = policy
        self._patience_s = patience_s
        self._limit = limit
        # The number of the last halt that was dealt with: word of it may come later.
        self._dealt_with = 0

    def recover_halt(self, halt: Halt, recovery: Recovery) -> StatusSteps:
        """Deal with a halt that the firmware told of."""
        if halt.number <= self._dealt_with:
            return Status.NO_HANG
        return (yield from self._recover(recovery))

    def recover_job(self, job: Job, limit_s: float, recovery: Recovery) -> StatusSteps:
        """Deal with a job that has had its time; how much it may have on the engine is `limit_s`."""
        # Word of its completion may have been lost.
        self._driver.reap()
        submission = self._driver.find(job)
        if submission is None:
            return Status.NO_HANG
        if not self._halted():
            answered = yield from self._request_halt(submission, limit_s)
            if answered and not self._halted():
                # What waits for others does not hang; or it came to its end just now, and word of that will come.
                return Status.NO_HANG
        return (yield from self._recover(recovery))

    # The steps.

    def _request_halt(self, submission: Submission, limit_s: float) -> Steps[bool]:
        """Have everything halted if the job is to blame; False when the firmware does neither that nor answer."""
        driver, answers = self._driver, self._shared.answers
        before = answers.value
        driver.firmware.post(HaltRequest(driver.firmware.overdue(submission, round(limit_s * NS_PER_S))))
        return (yield from self._until(lambda: answers.value != before or self._halted()))

    def _recover(self, recovery: Recovery) -> StatusSteps:
        yield from recovery.stop(recovery.schedulers)
        recovery.capture()
        for halts_left in reversed(range(self._limit + 1)):
            if not (yield from self._until(self._halted)):
                break
            verdict, doomed = self._mark(recovery, last=not halts_left)
            if verdict.reset is Reset.WEDGE:
                return self._wedge(recovery, doomed)
            if not (yield from self._resume()):
                break
            self._driver.end(doomed)
            if not self._halted():
                return Status.RESET
        self._driver.crash()
        return Status.ENODEV

    def _mark(self, recovery: Recovery, *, last: bool) -> tuple[Verdict, tuple[Submission, ...]]:
        """Say what becomes of each job, and mark the commands; returns the jobs that are lost.

        What is complete has ended before, whether or not the driver was told of it.
        """
        on_hardware = self._driver.look()
        jobs = [each.job for each in on_hardware.live]
        pending = on_hardware.described(recovery)
        verdict = self._policy.judge(evidence(on_hardware), pending)
        if last:
            verdict = wedge(verdict, pending)
        recovery.pronounce(verdict, jobs)
        return verdict, self._driver.mark(verdict, on_hardware)

    def _resume(self) -> Steps[bool]:
        """Let the firmware go on; False when it does not."""
        shared = self._shared
        assert shared.halt is not None
        self._dealt_with = shared.halt.number
        before = shared.resumes.value
        shared.halted.value = 0
        self._driver.firmware.post(Resume())
        return (yield from self._until(lambda: shared.resumes.value != before))

    def _wedge(self, recovery: Recovery, doomed: tuple[Submission, ...]) -> Status:
        """Leave it halted, for good."""
        recovery.wedge()
        self._driver.end(doomed)
        self._driver.crash()
        return Status.WEDGED

    def _halted(self) -> bool:
        return bool(self._shared.halted.value)

    def _until(self, condition: Callable[[], bool]) -> Steps[bool]:
        return (yield Until(condition, self._shared.changed, self._patience_s))
