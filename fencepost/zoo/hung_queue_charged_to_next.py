"""A queue that hung when it was removed, for which the next to come had to pay.

The product takes hung queues off by a reset of their engine; the model is a firmware that stays stuck instead.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

HUNG: Final = "hung"


class Driver:
    """Maps queues to the hardware and takes them off again. `_lock` protects the firmware's mailbox and state."""

    def __init__(self) -> None:
        self._lock = current().lock()
        self._stuck = False

    def destroy(self, queue: str) -> None:
        """Take a queue off the hardware, for good."""
        with self._lock:
            self.unmap_locked(queue)
            if self.must_recover_locked():
                self.reset_locked(queue)

    def submit(self, queue: str) -> None:
        """Map a queue; a firmware that does not answer is reset, and that is put down to the queue."""
        with self._lock:
            if self._stuck:
                self.reset_locked(queue)

    def unmap_locked(self, queue: str) -> None:
        """Have the firmware preempt a queue; it waits for ever for one that hangs."""
        self._stuck = queue == HUNG

    def must_recover_locked(self) -> bool:
        """Say whether the firmware is to be reset after a queue was taken off."""
        return self._stuck

    def reset_locked(self, guilty: str) -> None:
        """Reset the firmware, and charge it to a queue."""
        self._stuck = False
        assert guilty == HUNG, f"the {guilty} queue is charged for a hang that was there before it"


class DriverAsItWas(Driver):
    """Thinks that a queue which is gone does no harm."""

    def must_recover_locked(self) -> bool:
        return False


def model(driver: Driver, runtime: Runtime) -> None:
    """Destroy a hung queue while another one is used."""
    runtime.spawn(lambda: driver.destroy(HUNG), "owner of the hung queue")
    runtime.spawn(lambda: driver.submit("innocent"), "another client")


BUG = Bug(
    name="hung-queue-charged-to-next",
    title=None,
    fix="a comment in the amdgpu driver; commit and date not known",
    symptom="an innocent client loses its queue",
    interleaving="a queue that hangs is destroyed: taking it off fails, and leaves the firmware stuck; another client"
    " submits, the firmware does not answer, and the reset is put down to that client",
    repair="recover where the hang shows, at the end of the queue that hung",
    broken=lambda runtime: model(DriverAsItWas(), runtime),
    fixed=lambda runtime: model(Driver(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
