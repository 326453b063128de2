"""A completion that counted: each time it was reached, one of those who waited went on."""

from __future__ import annotations

from fencepost.actors import Entity, Runtime
from fencepost.checks import Kind
from fencepost.hw import MockBackend
from fencepost.sync import Gate, current
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import model_with

__all__ = ["BUG"]


class Turnstile(Gate):
    """Lets one through for each time that it is opened."""

    __slots__ = ("_permits",)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._permits = current().mailbox(name)

    def open(self) -> None:
        self._permits.put(None)

    def wait_until(self, when_ns: int | None) -> bool:  # noqa: ARG002 - a kill has no deadline
        self._permits.get()
        return True


class EntityAsItWas(Entity):
    gate_class = Turnstile


def model(runtime: Runtime) -> None:
    """Let a process flush its entity at its death while the driver tears that down."""
    entity = runtime.scheduler(MockBackend(), name="ring").entity("client")
    entity.submit(1)
    runtime.spawn(entity.kill, "flush")
    entity.fini()


BUG = Bug(
    name="idle-completes-one-waiter",
    title="drm/scheduler: Fix lockup in drm_sched_entity_kill()",
    fix="9f1ecfc5dcb4 and 69555549cfa4, November 2022",
    symptom="a process cannot exit (panfrost)",
    interleaving="flush and fini both wait until the scheduler leaves the entity alone; it says so once; one of the two"
    " goes on, the other waits for ever",
    repair="complete for all who wait",
    broken=model_with(model, entity=EntityAsItWas),
    fixed=model,
    finds=frozenset({Kind.DEADLOCK}),
)
