"""A completion time that was read before it was written.

The product publishes flag, error and time in one step, so its fence has no such moment; the model has the kernel's.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current, now_ns
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]

WORK_S: Final = 0.001


class StampedFence:
    """Says that it has signalled, then when."""

    def __init__(self) -> None:
        self.signaled = Cell("signalled", value=False)
        self.timestamp_ns = Cell("timestamp", 0)
        self.stamped = Cell("timestamp valid", value=False)

    def signal(self) -> None:
        """Signal now."""
        self.signaled.store(value=True)
        self.timestamp_ns.store(now_ns())
        self.stamped.store(value=True)

    def completed_ns(self) -> int:
        """Return when it signalled; only for who has seen that it has."""
        while not self.stamped.load():
            current().sleep(1e-9)
        return self.timestamp_ns.load()


class StampedFenceAsItWas(StampedFence):
    """Trusts the first flag for the second field."""

    def completed_ns(self) -> int:
        return self.timestamp_ns.load()


def model(fence: StampedFence, runtime: Runtime) -> None:
    """Read the completion time at about the time of completion."""

    def work() -> None:
        current().sleep(WORK_S)
        fence.signal()

    runtime.spawn(work, "device")
    current().sleep(WORK_S)
    if fence.signaled.load():
        assert fence.completed_ns() > 0, "the fence has signalled, at no time"


BUG = Bug(
    name="fence-read-before-timestamp",
    title="dma-buf: add dma_fence_timestamp helper",
    fix="b83ce9cb4a46, also as 0da611a87021, September 2023",
    symptom="jobs that took no time or for ever; merged sync files with wrong completion times",
    interleaving="the signaller sets the flag; a reader sees it and reads the time; the signaller writes the time",
    repair="wait until the time is there, in one helper that everybody uses",
    broken=lambda runtime: model(StampedFenceAsItWas(), runtime),
    fixed=lambda runtime: model(StampedFence(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
