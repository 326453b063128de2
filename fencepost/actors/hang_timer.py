"""When the oldest job on the hardware has had its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fencepost.errors import BadInput
from fencepost.sync import NS_PER_S, Timer, World

__all__ = ["HangTimer", "check_timeout"]

LONGEST_S: Final = 86_400.0

AGAIN_S: Final = 0.001
"""The shortest time after which a job is looked at again. With a time-out of 0 nothing else would get a turn."""


class HangTimer:
    """Measures the time of the oldest job on the hardware. Belongs to the actor of a scheduler.

    The time begins when a job becomes the oldest, and no later submission begins it anew: a steady stream of jobs
    cannot put off the report of a hang. In this it differs from current kernels, where each submission restarts the
    timer. (kernel: drm_sched_start_timeout)

    A timer of the world that is armed stays armed when the job ends, and is armed anew for the next one only when it
    fires: while jobs come and go that costs one store a job.

    Args:
        world: gives the clock and the timer.
        expire: posts to the actor, which then asks `expired`. Called in irq context.
        timeout_s: how long a job may take; None is for ever.

    Attributes:
        timeout_s: as above.
    """

    __slots__ = ("_deadline_ns", "_expire", "_suspended", "_timer", "_world", "timeout_s")

    def __init__(self, world: World, expire: Callable[[], object], timeout_s: float | None) -> None:
        self._world = world
        self._expire = expire
        self.timeout_s = timeout_s
        # When the time is up that runs now, None while none runs.
        self._deadline_ns: int | None = None
        self._timer: Timer | None = None
        self._suspended = False

    def begin(self, now_ns: int) -> None:
        """Note that another job is the oldest one now."""
        if self.timeout_s is None or self._suspended:
            self._deadline_ns = None
        else:
            self._run_until(now_ns + round(self.timeout_s * NS_PER_S))

    def begin_again(self, now_ns: int) -> None:
        """Note that the oldest job was looked at, and gets its time anew."""
        self.begin(now_ns)
        if self._deadline_ns is not None:
            self._deadline_ns = max(self._deadline_ns, now_ns + round(AGAIN_S * NS_PER_S))

    def end(self) -> None:
        """Note that no job is on the hardware, or that its time is not to be measured."""
        self._deadline_ns = None

    def expired(self, now_ns: int) -> bool:
        """Say whether the time is up; if not, have `expire` called when it may be. True ends the measuring."""
        if self._deadline_ns is None:
            return False
        if now_ns < self._deadline_ns:
            self._run_until(self._deadline_ns)
            return False
        self._deadline_ns = None
        return True

    def suspend(self, now_ns: int) -> float | None:
        """Measure no more until `resume`; returns how many seconds were left, the full time when none was running.

        (kernel: drm_sched_suspend_timeout)
        """
        self._suspended = True
        deadline_ns, self._deadline_ns = self._deadline_ns, None
        if deadline_ns is None or deadline_ns <= now_ns:
            return self.timeout_s
        return (deadline_ns - now_ns) / NS_PER_S

    def resume(self, now_ns: int, left_s: float | None, *, pending: bool) -> None:
        """Go on with `left_s` for the oldest job, if there is one.

        (kernel: drm_sched_resume_timeout)
        """
        self._suspended = False
        if pending and left_s is not None:
            self._run_until(now_ns + round(left_s * NS_PER_S))

    def close(self) -> None:
        """Measure no more, for good."""
        self._deadline_ns = None
        if self._timer is not None:
            self._timer.cancel()

    def _run_until(self, deadline_ns: int) -> None:
        self._deadline_ns = deadline_ns
        timer = self._timer
        if timer is not None and timer.armed:
            # If it fires just now the actor will hear of it, and be here again.
            if timer.deadline_ns <= deadline_ns:
                return
            timer.cancel()
        self._timer = self._world.timers.call_at(deadline_ns, self._expire)


def check_timeout(timeout_s: float | None, where: str = "timeout_s") -> None:
    """Raise BadInput for a time-out that nobody can have meant: negative, not a number, or longer than a day."""
    if timeout_s is not None and not 0 <= timeout_s <= LONGEST_S:
        raise BadInput(where, f"{timeout_s} s", f"0 to {LONGEST_S:.0f} s, or none")
