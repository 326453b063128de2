"""A restart that armed the timer first, and started the worker when the next handler had stopped it."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]


class Scheduler:
    """A worker and a timeout handler, of which only one may be at the jobs.

    `_working` is held by the worker during a pass.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._working = current().lock()
        self._paused = Cell("paused", value=True)
        self._owned = Cell("owned by the handler", value=False)

    def restart(self) -> None:
        """Go on after a recovery."""
        self.start_worker()
        self.start_timer()

    def start_worker(self) -> None:
        self._paused.store(value=False)

    def start_timer(self) -> None:
        """Start a timer that is about to fire."""
        self._runtime.spawn(self.timed_out, "TDR")

    def timed_out(self) -> None:
        """Stop the worker, and have the jobs for itself."""
        self._paused.store(value=True)
        with self._working:
            """Wait for the pass that is under way."""
        self._owned.store(value=True)
        self._owned.store(value=False)
        self._paused.store(value=False)

    def work(self) -> None:
        """Do one pass."""
        with self._working:
            if not self._paused.load():
                assert not self._owned.load(), "the worker runs jobs while the handler walks through them"


class SchedulerAsItWas(Scheduler):
    """Arms the timer first."""

    def restart(self) -> None:
        self.start_timer()
        self.start_worker()


def model(scheduler_class: type[Scheduler], runtime: Runtime) -> None:
    """Start a scheduler again whose oldest job has had its time."""
    scheduler = scheduler_class(runtime)
    scheduler.restart()
    scheduler.work()


BUG = Bug(
    name="timer-before-worker-at-restart",
    title=None,
    fix="posted April 2023 (M. Brost); the title is not known, and it was not merged",
    symptom="jobs are submitted in the middle of a recovery",
    interleaving="the restart arms the timer, which fires; the handler stops the worker; the restart goes on and starts"
    " the worker, which runs while the handler believes that it owns the jobs",
    repair="start the worker first, then the timer",
    broken=lambda runtime: model(SchedulerAsItWas, runtime),
    fixed=lambda runtime: model(Scheduler, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
