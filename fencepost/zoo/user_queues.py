"""A table of user queues, each of which lives as long as somebody holds a reference: what two entries are about.

Python keeps a queue of the product alive for whoever has it, so a model has the kernel's.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.sync import current
from fencepost.zoo.point import point
from fencepost.zoo.refcount import Counted

__all__ = ["NUMBER", "QueueManager", "UserQueue", "model"]

NUMBER: Final = 1


class UserQueue(Counted):
    """A queue that is taken off the hardware by whoever puts its last reference."""

    def __init__(self, manager: QueueManager) -> None:
        super().__init__("user queue")
        self._manager = manager

    def release(self) -> None:
        self._manager.unmap()
        self.free()


class QueueManager:
    """The queues of one file.

    `_mutex` is held while the hardware is told; `_lookup` protects the table. Neither is taken under the other.
    """

    def __init__(self) -> None:
        self._mutex = current().lock()
        self._lookup = current().lock()
        self._queues = {NUMBER: UserQueue(self)}

    def signal(self) -> None:
        """Make a fence of what a queue has written."""
        queue = self.find()
        if queue is not None:
            self.use(queue)

    def find(self) -> UserQueue | None:
        """Return the queue with a reference for the caller."""
        with self._lookup:
            queue = self._queues.get(NUMBER)
            if queue is not None:
                queue.get()
            return queue

    def use(self, queue: UserQueue) -> None:
        """Use a queue, and put it."""
        with self._mutex:
            queue.touch()
        queue.put()

    def destroy(self) -> None:
        """Take a queue out of the table, and put it."""
        with self._lookup:
            queue = self._queues.pop(NUMBER)
        queue.put()

    def unmap(self) -> None:
        """Tell the hardware."""
        with self._mutex:
            point("unmap", self)

    def __repr__(self) -> str:
        return "queue manager"


def model(manager: QueueManager, runtime: Runtime) -> None:
    """Make a fence of a queue while that is destroyed."""
    runtime.spawn(manager.signal, "signal ioctl")
    runtime.spawn(manager.destroy, "destroy ioctl")
