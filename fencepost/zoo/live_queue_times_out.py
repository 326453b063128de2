"""A watchdog that did not notice the progress of a queue, because a test was the wrong way round."""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import NS_PER_S, current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

TIMEOUT_S: Final = 5.0
JOB_S: Final = 3.0
JOBS: Final = 2


class Watchdog:
    """Measures the time of a queue while it is on a slot. `_lock` protects its fields."""

    def __init__(self) -> None:
        self._lock = current().lock()
        self._paused = False
        self._deadline_ns = self._full_time_ns()

    def progress(self) -> None:
        """Give the queue its full time anew: a job of it has ended."""
        with self._lock:
            if self.is_running_locked():
                self._deadline_ns = self._full_time_ns()

    def is_running_locked(self) -> bool:
        """Say whether time is measured."""
        return not self._paused

    def end(self) -> None:
        """Measure no more: the queue is empty."""
        with self._lock:
            self._paused = True

    def watch(self) -> None:
        """Look whether the time is up, until the queue is empty. The timer."""
        due_ns = self._look()
        while due_ns is not None:
            current().sleep_until(due_ns)
            due_ns = self._look()

    def _look(self) -> int | None:
        """Return when the time is up as things are; None when the queue is empty."""
        with self._lock:
            if self._paused:
                return None
            in_time = current().now_ns() < self._deadline_ns
            assert in_time, f"a queue is killed, and no job of it has run for longer than {JOB_S} s"
            return self._deadline_ns

    @staticmethod
    def _full_time_ns() -> int:
        return current().now_ns() + round(TIMEOUT_S * NS_PER_S)


class WatchdogAsItWas(Watchdog):
    """Has it the wrong way round."""

    def is_running_locked(self) -> bool:
        return not super().is_running_locked()


def model(watchdog: Watchdog, runtime: Runtime) -> None:
    """Run jobs that take together, but not each, longer than a queue may stand still."""

    def execute() -> None:
        for _ in range(JOBS):
            current().sleep(JOB_S)
            watchdog.progress()
        watchdog.end()

    runtime.spawn(execute, "engine")
    runtime.spawn(watchdog.watch, "watchdog")


BUG = Bug(
    name="live-queue-times-out",
    title=None,
    fix="ac5b392a8c35 (panthor), date and title not known",
    symptom="a job is killed that runs as it should",
    interleaving="a job ends, and the time of its queue should begin anew; that is done only for a queue whose time"
    " is not measured; in the middle of the next job the time of the first is up",
    repair="begin it anew for a queue whose time is measured",
    broken=lambda runtime: model(WatchdogAsItWas(), runtime),
    fixed=lambda runtime: model(Watchdog(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
