"""A scheduler that was told no because of another one's job, and heard only of the end of its own.

The second of three ways in which "may this job run?" has no wake-up; see `can-run-woken-before-change`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.sync import Mailbox, current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class Limit:
    """One job at a time, over all schedulers. `_lock` protects who runs."""

    def __init__(self) -> None:
        self._lock = current().lock()
        self._running: Fence | None = None

    def begin(self, wake_ups: Mailbox[str]) -> Fence:
        """Block until a job may run; return the fence that is to signal at its end."""
        mine = Fence(name="job")
        while (running := self.take(mine)) is not None:
            self.sleep(running, wake_ups)
        return mine

    def take(self, mine: Fence) -> Fence | None:
        """Be the one that runs; where another does, return its fence."""
        with self._lock:
            if self._running is None:
                self._running = mine
                return None
            return self._running

    def sleep(self, running: Fence, wake_ups: Mailbox[str]) -> None:
        """Block until there is a reason to ask again."""
        del wake_ups
        running.wait()

    def end(self, mine: Fence, wake_ups: Mailbox[str]) -> None:
        """Let others run, and wake the scheduler whose job it was."""
        with self._lock:
            self._running = None
        mine.signal()
        wake_ups.put("done")


class LimitAsItWas(Limit):
    """Answers yes or no, so a scheduler can only wait for news of its own."""

    def sleep(self, running: Fence, wake_ups: Mailbox[str]) -> None:
        del running
        wake_ups.get()


def model(limit: Limit, runtime: Runtime) -> None:
    """Run a job on each of two schedulers."""

    def run(wake_ups: Mailbox[str]) -> None:
        limit.end(limit.begin(wake_ups), wake_ups)

    for name in "x", "y":
        scheduler: Callable[[], object] = partial(run, current().mailbox(f"wake-ups of {name}"))
        runtime.spawn(scheduler, f"scheduler {name}")


BUG = Bug(
    name="can-run-of-another-scheduler",
    title=None,
    fix='never merged: "drm/scheduler: Add can_run_job callback", an RFC of March 2023 (A. Lina)',
    symptom="a job that could run never does",
    interleaving="a job of x runs; y asks, is told no, and sleeps; the job completes and wakes x, which has nothing to"
    " do; nobody wakes y",
    repair="return a fence to wait for, whoever signals it",
    broken=lambda runtime: model(LimitAsItWas(), runtime),
    fixed=lambda runtime: model(Limit(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
