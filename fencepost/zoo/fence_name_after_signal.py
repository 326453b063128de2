"""A fence that was asked for its driver's name while it signalled and the driver went.

The product keeps the name in the fence; the model has the kernel's driver operations and a grace period.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Gate, current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell
from fencepost.zoo.refcount import Counted

__all__ = ["BUG"]


class GracePeriods:
    """Readers that hold nobody up, and writers that wait for them, as in the kernel's RCU.

    `_lock` protects the list of readers.
    """

    def __init__(self) -> None:
        self._lock = current().lock()
        self._readers: list[Gate] = []

    @contextmanager
    def reading(self) -> Generator[None, None, None]:
        """Keep what can be reached now from being freed within."""
        left = Gate("reader")
        with self._lock:
            self._readers.append(left)
        try:
            yield
        finally:
            with self._lock:
                self._readers.remove(left)
            left.open()

    def wait(self) -> None:
        """Block until everybody who reads now has left."""
        with self._lock:
            readers = list(self._readers)
        for left in readers:
            left.wait()


class DriverFence:
    """A fence whose name is its driver's to tell, until it has signalled."""

    def __init__(self, driver: Counted) -> None:
        self.driver = driver
        self.signaled = Cell("signalled", value=False)
        self.grace = GracePeriods()

    def timeline_name(self) -> str:
        """Return the name of the timeline, or what stands for it after the signal."""
        with self.grace.reading():
            if self.signaled.load():
                return "signaled-timeline"
            self.driver.touch()
            return self.driver.name

    def signal(self) -> None:
        """Signal; the driver goes."""
        self.signaled.store(value=True)
        self.before_release()
        self.driver.put()

    def before_release(self) -> None:
        """Wait for those who have seen that the fence is pending."""
        self.grace.wait()


class DriverFenceAsItWas(DriverFence):
    """Takes the flag for enough."""

    def before_release(self) -> None:
        """Wait for nobody."""


def model(fence_class: type[DriverFence], runtime: Runtime) -> None:
    """Ask for the name while the fence signals."""
    fence = fence_class(Counted("driver"))
    runtime.spawn(fence.timeline_name, "debugger")
    runtime.spawn(fence.signal, "device")


BUG = Bug(
    name="fence-name-after-signal",
    title="dma-fence: Add safe access helpers and document the rules",
    fix="506aa8b02a8d, June 2025; drivers followed (panthor efe24898485c, December 2025)",
    symptom="use after free of a driver's data, by whoever looked at a fence of it",
    interleaving="a reader sees that the fence is pending; the device signals it, and the driver frees what the name"
    " operation needs; the reader calls that operation",
    repair="let a grace period pass between the signal and the end of the driver's data, and call through helpers",
    broken=lambda runtime: model(DriverFenceAsItWas, runtime),
    fixed=lambda runtime: model(DriverFence, runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
