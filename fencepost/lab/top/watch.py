"""The task that looks at a run from outside, again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fencepost.actors.cgroups import Cgroups
from fencepost.lab.runner import StopFlag
from fencepost.lab.top.meter import Meter, Sample
from fencepost.lab.top.reading import read
from fencepost.sync import NS_PER_S, Gate, NativeWorld, current

__all__ = ["Pace", "watch"]

STEP_NS: Final = NS_PER_S // 20
"""How far a virtual world may be ahead of the wall; a wish to end is noticed as soon."""


class Pace:
    """Holds a virtual world back, so that its time passes no faster than that on the wall.

    A world in which there is much to do may fall behind; it does not run to catch up again.

    Args:
        stop: whoever waits for the wall waits no longer when it is set.
    """

    def __init__(self, stop: StopFlag) -> None:
        self._stop = stop
        self._wall = NativeWorld()
        self._then_ns = current().now_ns()
        self._wall_then_ns = self._wall.now_ns()

    def keep(self) -> None:
        """Block the whole world until the wall is where this world is."""
        now_ns = current().now_ns()
        due_ns = self._wall_then_ns + now_ns - self._then_ns
        while (wall_ns := self._wall.now_ns()) < due_ns and not self._stop.is_set():
            self._wall.waiter().wait(min(due_ns, wall_ns + STEP_NS), "the clock on the wall")
        self._then_ns = now_ns
        self._wall_then_ns = max(due_ns, wall_ns)


def watch(tree: Cgroups, over: Gate, interval_s: float, show: Callable[[Sample], object], pace: Pace | None) -> None:
    """Take a sample after each interval: blocks until the run is over. The function of a task.

    While it is there, there always is a next deadline: a virtual world does not notice that nobody else can go on.

    Args:
        tree: what it looks at.
        over: opens when there is nothing more to see.
        interval_s: in the world's time.
        show: called with each sample. A run that is shorter than an interval has one, at its end.
        pace: holds a virtual world back; None lets it go as fast as it can.
    """
    meter = Meter(read(tree))
    interval_ns = round(interval_s * NS_PER_S)
    due_ns = current().now_ns() + interval_ns
    samples = 0
    while not _wait(over, due_ns, pace):
        show(meter.sample(read(tree)))
        samples += 1
        # A native world that came late is not asked twice at once.
        due_ns = max(due_ns, current().now_ns() - interval_ns) + interval_ns
    if not samples:
        show(meter.sample(read(tree)))


def _wait(over: Gate, due_ns: int, pace: Pace | None) -> bool:
    """Block until then, or until all is over; True when it is."""
    if pace is None:
        return over.wait_until(due_ns)
    while (now_ns := current().now_ns()) < due_ns:
        if over.wait_until(min(due_ns, now_ns + STEP_NS)):
            return True
        pace.keep()
    return False
