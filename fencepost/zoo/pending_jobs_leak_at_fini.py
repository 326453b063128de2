"""A scheduler that ended and left what was on the hardware to nobody."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.actors.scheduler_actor import SchedulerActor
from fencepost.checks import Kind
from fencepost.hw import MockBackend
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import model_with

__all__ = ["BUG"]


class SchedulerActorAsItWas(SchedulerActor):
    """Has no way to ask a driver for its jobs."""

    def _cancel_pending(self) -> None:
        self._cancel_due = False


def model(runtime: Runtime) -> None:
    """End a scheduler with a job on the hardware."""
    scheduler = runtime.scheduler(MockBackend())
    entity = scheduler.entity()
    job = entity.submit()
    job.scheduled.wait()
    entity.kill()
    scheduler.fini()


BUG = Bug(
    name="pending-jobs-leak-at-fini",
    title=None,
    fix="July 2025 (P. Stanner): the series that brought cancel_job; its titles are not known",
    symptom="jobs leak when a driver is unloaded, and who waits for them waits for ever",
    interleaving="a job is on the hardware; the scheduler stops its workers and goes; nobody is left who would take the"
    " job back, or see it end",
    repair="ask the driver to cancel each pending job, newest first, and free it",
    broken=model_with(model, scheduler_actor=SchedulerActorAsItWas),
    fixed=model,
    finds=frozenset({Kind.DEADLOCK}),
)
