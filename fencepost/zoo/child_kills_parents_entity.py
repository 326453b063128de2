"""An entity without a user in the beginning, so that any process could be its last one.

Processes are the model's own: an entity of ours is killed by whoever holds it.
"""

from __future__ import annotations

from collections.abc import Sequence

from fencepost.actors import Entity, Job, Runtime, Scheduler
from fencepost.checks import Kind
from fencepost.hw import MockBackend
from fencepost.policies import Priority
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]


class ProcessEntity(Entity):
    """Knows which process used it last; the death of that one kills it."""

    def __init__(
        self,
        runtime: Runtime,
        schedulers: Sequence[Scheduler],
        name: str,
        priority: Priority,
        client: str,
        *,
        vm: str | None = None,
    ) -> None:
        super().__init__(runtime, schedulers, name, priority, client, vm=vm)
        self._last_user = Cell("last_user", self.first_user())

    def first_user(self) -> str | None:
        """Return who counts as its user before anybody pushed: its creator."""
        return self.client

    def submit_by(self, process: str) -> Job:
        self._last_user.store(process)
        return self.submit(1)

    def closed_by_death_of(self, process: str) -> None:
        if self._last_user.load() in (None, process):
            self.kill()


class ProcessEntityAsItWas(ProcessEntity):
    """Has no user until somebody pushes."""

    def first_user(self) -> str | None:
        return None


def model(entity_class: type[ProcessEntity], runtime: Runtime) -> None:
    """Let a child that inherited the file be killed while its parent begins to submit."""
    runtime.entity_class = entity_class
    entity = runtime.scheduler(MockBackend(), name="ring").entity(client="parent")
    assert isinstance(entity, ProcessEntity)
    runtime.spawn(lambda: entity.closed_by_death_of("child"), "child")
    job = entity.submit_by("parent")
    job.finished.wait()
    assert job.finished.error == 0, "the parent's job was killed"


BUG = Bug(
    name="child-kills-parents-entity",
    title="drm/sched: avoid killing parent entity on child SIGKILL",
    fix="9e8b3201c730, October 2025, drm/amd#4568",
    symptom="nothing of a process runs any more after a child of it was killed",
    interleaving="the parent made an entity and has not pushed; the child, which inherited the file, is killed; nobody"
    " is the last user, so the child may be, and the entity is killed",
    repair="make the creator the first user, and exchange the user in one step",
    broken=lambda runtime: model(ProcessEntityAsItWas, runtime),
    fixed=lambda runtime: model(ProcessEntity, runtime),
    finds=frozenset({Kind.ASSERTION, Kind.EXCEPTION}),
)
