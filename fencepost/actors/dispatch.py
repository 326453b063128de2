"""Who carries the actors: a task each, or a few workers for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from fencepost.actors.inbox import SlicedInbox, ThreadInbox
from fencepost.sync import Mailbox, World

if TYPE_CHECKING:
    from fencepost.actors.actor import Actor

__all__ = ["DISPATCHES", "Dispatch", "ThreadDispatch", "WorkQueueDispatch", "new_dispatch"]

DISPATCHES: Final = ("thread", "workqueue")

LETTERS_PER_SLICE: Final = 32
"""How many messages an actor may handle before the next one's turn."""


class Dispatch(Protocol):
    """Gives actors an inbox and somebody who empties it."""

    def inbox(self, actor: Actor) -> ThreadInbox:
        """Make the inbox of an actor that is being made."""
        ...

    def start(self, actor: Actor) -> None:
        """Begin to carry it."""
        ...

    def stop(self) -> None:
        """Let the workers go; by then all actors have stopped."""
        ...


class ThreadDispatch:
    """A task for each actor: real concurrency, and 24 kB a thread."""

    def __init__(self, world: World) -> None:
        self._world = world

    def inbox(self, actor: Actor) -> ThreadInbox:
        return ThreadInbox(actor)

    def start(self, actor: Actor) -> None:
        self._world.spawn(actor.carry, name=actor.name, service=True)

    def stop(self) -> None:
        """Nothing to do: each task ends with its actor."""


class WorkQueueDispatch:
    """A few workers that take turns at carrying many actors, one worker at most at an actor at a time.

    The kernel's step from a thread for each scheduler to a work queue, and the way to ten thousand entities.
    """

    def __init__(self, world: World, workers: int) -> None:
        self._runnable: Mailbox[Actor | None] = world.mailbox("work queue")
        self._workers = workers
        self._world = world
        for index in range(workers):
            world.spawn(self._work, name=f"worker{index}", service=True)

    def inbox(self, actor: Actor) -> ThreadInbox:
        return SlicedInbox(actor, self._runnable)

    def start(self, actor: Actor) -> None:
        # With the claim that its inbox has held since it was made; its `on_start` must run even if there is no letter.
        self._runnable.put(actor)

    def stop(self) -> None:
        for _ in range(self._workers):
            self._runnable.put(None)

    def _work(self) -> None:
        task = self._world.task()
        while (actor := self._runnable.get()) is not None:
            task.no_block = "it carries the actors of a work queue, which must not block"
            actor.carry_slice(LETTERS_PER_SLICE)
            task.no_block = None


def new_dispatch(name: str, world: World, workers: int) -> Dispatch:
    """Make one of `DISPATCHES`; the workers are those of the work queue."""
    return ThreadDispatch(world) if name == "thread" else WorkQueueDispatch(world, workers)
