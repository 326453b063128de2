"""A user queue whose last reference was put under the lock that its end needs."""

from __future__ import annotations

from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.user_queues import QueueManager, UserQueue, model

__all__ = ["BUG"]


class ManagerAsItWas(QueueManager):
    """Puts a queue as soon as it is done with it."""

    def use(self, queue: UserQueue) -> None:
        with self._mutex:
            queue.touch()
            queue.put()


BUG = Bug(
    name="user-queue-put-under-mutex",
    title=None,
    fix="65b5c326ce41, 8f402ddd4f23 (amdgpu), dates and titles not known; which of the two is not known either",
    symptom="the ioctls of a file hang",
    interleaving="an ioctl holds a reference of a queue and the mutex; another one destroys the queue, which goes on"
    " living by that reference; the first one puts it, and now has to take the queue off the hardware, for which it"
    " wants the mutex that it holds",
    repair="put no reference under the mutex",
    broken=lambda runtime: model(ManagerAsItWas(), runtime),
    fixed=lambda runtime: model(QueueManager(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
