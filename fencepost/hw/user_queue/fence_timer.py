"""The timer of one kernel fence of a user queue: runs whether anybody waits for the fence or not."""

from __future__ import annotations

from collections.abc import Callable

from fencepost.fences import Fence
from fencepost.hw.user_queue.messages import Suspect
from fencepost.hw.user_queue.mqd import Mqd
from fencepost.sync import NS_PER_S, Timer, World

__all__ = ["FenceTimer"]


class FenceTimer:
    """Has the firmware look for a hang each time that a fence has been pending for so long, until it signals.

    (amdgpu: the hang detection work of a user queue, here for each fence)

    `_lock` protects the timer; a leaf, before that of the timers.

    Args:
        report: hands a suspicion to the firmware; it may only post.
    """

    def __init__(
        self, world: World, mqd: Mqd, fence: Fence, timeout_s: float, report: Callable[[Suspect], object]
    ) -> None:
        self._world = world
        self._lock = world.lock()
        self._report = report
        self._limit_ns = round(timeout_s * NS_PER_S)
        self._suspect = Suspect(mqd, fence, self._limit_ns, self.arm)
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin, and end with the fence."""
        self.arm()
        if not self._suspect.fence.add_callback(self._stop):
            self._stop(self._suspect.fence)

    def arm(self) -> None:
        """Give the fence its full time, unless it has signalled. Any context."""
        with self._lock:
            if not self._suspect.fence.signaled:
                self._timer = self._world.timers.call_at(self._world.now_ns() + self._limit_ns, self._expire)

    def _expire(self) -> None:
        self._report(self._suspect)

    def _stop(self, _fence: Fence) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
