"""A user queue that was looked up, and freed before it was used."""

from __future__ import annotations

from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.user_queues import NUMBER, QueueManager, UserQueue, model

__all__ = ["BUG"]


class ManagerAsItWas(QueueManager):
    """Finds a queue, and takes it for alive."""

    def find(self) -> UserQueue | None:
        with self._lookup:
            return self._queues.get(NUMBER)

    def use(self, queue: UserQueue) -> None:
        with self._mutex:
            queue.touch()


BUG = Bug(
    name="user-queue-found-without-reference",
    title=None,
    fix="65b5c326ce41, 8f402ddd4f23 (amdgpu), dates and titles not known; which of the two is not known either",
    symptom="use after free of a user queue",
    interleaving="an ioctl looks a queue up; another one destroys it, and nobody else holds a reference; the first one"
    " uses it",
    repair="take a reference under the lock of the lookup",
    broken=lambda runtime: model(ManagerAsItWas(), runtime),
    fixed=lambda runtime: model(QueueManager(), runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
