"""A killed job that told of its end before those had ended that it depends on."""

from __future__ import annotations

from fencepost.actors import Job, Runtime
from fencepost.actors.entity_actor import EntityActor
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import model_with

__all__ = ["BUG", "model"]


class EntityActorAsItWas(EntityActor):
    """Has a killed job wait for the one before it, and nothing else."""

    def _unmet_of_killed(self, job: Job) -> Fence | None:  # noqa: ARG002 - that is the bug
        previous = self._previous
        return None if previous is None or previous.signaled else previous


def model(runtime: Runtime) -> None:
    """Kill a job that waits for a copy on another ring; the end of the job says that the memory is free."""
    copier = MockBackend()
    copy = runtime.scheduler(copier, name="copy ring").entity("copier").submit()
    victim = runtime.scheduler(MockBackend(), name="draw ring").entity("victim")
    draw = victim.submit(1, deps=[copy.finished])

    def end_copy() -> None:
        copy.scheduled.wait()
        copier.advance()

    runtime.spawn(end_copy, "device")
    victim.kill()
    draw.finished.wait()
    assert copy.finished.signaled, "the memory is given to somebody else while the copy still writes to it"


BUG = Bug(
    name="kill-ignores-dependencies",
    title="drm/sched: Avoid data corruptions",
    fix="0b10ab80695d, May 2021, CVE-2021-47354",
    symptom="memory is used again while a job still writes to it",
    interleaving="a draw waits for a copy; its entity is killed, and the fence of the draw signals; whoever waits for"
    " the draw frees the memory that the copy has not done with",
    repair="wait for all dependencies before the fence of a killed job signals",
    broken=model_with(model, entity_actor=EntityActorAsItWas),
    fixed=model,
    finds=frozenset({Kind.ASSERTION}),
)
