"""A reset that found a hung queue on its way, and had everything reset once more.

The firmware of the product resets queues one by one, as part of what it is doing; the model is a driver whose reset of
the whole device is work of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Mailbox, current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Counter

__all__ = ["BUG"]


class Driver:
    """Takes queues off the hardware. `_lock` protects whether the firmware is stuck, which it is until a reset."""

    def __init__(self) -> None:
        self.work: Mailbox[Callable[[], object]] = current().mailbox("reset work")
        self.resets = Counter("resets", 0)
        self._lock = current().lock()
        self._stuck = False

    def destroy(self) -> None:
        """Destroy a queue that hangs."""
        with self._lock:
            self._stuck = True
        self.unmap_failed(resetting=False)

    def reset(self) -> None:
        """Take all queues off the hardware, as far as the firmware can, and reset it."""
        with self._lock:
            stuck = self._stuck
        if stuck:
            self.unmap_failed(resetting=True)
        with self._lock:
            self._stuck = False
        self.resets.add(1)

    def unmap_failed(self, *, resetting: bool) -> None:
        """Have the device reset since a queue could not be taken off, unless that is about to happen."""
        if not resetting:
            self.work.put(self.reset)


class DriverAsItWas(Driver):
    """Has the device reset whenever a queue cannot be taken off."""

    def unmap_failed(self, *, resetting: bool) -> None:  # noqa: ARG002 - as it was
        self.work.put(self.reset)


def model(driver: Driver, runtime: Runtime) -> None:
    """Destroy a queue that hangs, and do all the work there is."""
    runtime.spawn(driver.destroy, "client").join()
    while not driver.work.empty():
        driver.work.get()()
    assert driver.resets.load() == 1, "one queue hung, and what others had on the device was lost twice"


BUG = Bug(
    name="reset-queued-by-reset",
    title=None,
    fix="a comment in the amdgpu driver; commit and date not known",
    symptom="the device is reset again and again",
    interleaving="a queue hangs, so a reset is queued; the reset takes all queues off first, which fails for the one"
    " that hangs, and so queues a reset",
    repair="a queue that fails in a reset asks for none",
    broken=lambda runtime: model(DriverAsItWas(), runtime),
    fixed=lambda runtime: model(Driver(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
