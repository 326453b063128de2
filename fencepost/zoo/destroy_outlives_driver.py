"""A driver that was unloaded while the destruction of a queue still went on.

The product ends its actors with their runtime; the model is a table of queues, and work on a queue of the system's.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Task
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Counter
from fencepost.zoo.refcount import Counted
from fencepost.zoo.wait_queue import WaitQueue

__all__ = ["BUG"]


class Driver(Counted):
    """Owns a table with one queue. It goes with its last reference, that of the module."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__("driver")
        self._runtime = runtime
        self._queues = Counter("queues in the table", 1)
        self._emptied = WaitQueue("the table")
        self._work: list[Task] = []

    def put_queue(self) -> None:
        """Drop the last reference to the queue: it is destroyed in a work item, since this may be its own worker."""
        self._work.append(self._runtime.spawn(self.destroy_queue, "destruction"))

    def destroy_queue(self) -> None:
        """Take the queue out of the table."""
        self.touch()
        self._queues.add(-1)
        self._emptied.wake_all()

    def unload(self) -> None:
        """Leave the kernel."""
        self.wait_for_queues()
        self.put()

    def wait_for_queues(self) -> None:
        """Wait until no queue is left, and for the work that was about it."""
        self._emptied.wait(lambda: not self._queues.load())
        for task in self._work:
            task.join()


class DriverAsItWas(Driver):
    """Takes work on a queue of the system's for none of its own."""

    def wait_for_queues(self) -> None:
        pass


def model(driver_class: type[Driver], runtime: Runtime) -> None:
    """Unload a driver whose last queue has just been closed."""
    driver = driver_class(runtime)
    driver.put_queue()
    driver.unload()


BUG = Bug(
    name="destroy-outlives-driver",
    title="drm/xe: fix UAF around queue destruction",
    fix="2d2be279f1ca, September 2024 (CVE-2024-49876)",
    symptom="use after free when a driver is unloaded",
    interleaving="the last reference to a queue is put, and its destruction is queued where the driver does not look;"
    " the driver is unloaded; the destruction takes the queue out of a table that is gone",
    repair="wait until the table is empty, and for the work",
    broken=lambda runtime: model(DriverAsItWas, runtime),
    fixed=lambda runtime: model(Driver, runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
