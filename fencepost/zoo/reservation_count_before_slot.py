"""A list of fences that counted a slot before it filled it.

The product has no reservations yet; the model has the kernel's. There the processor might have swapped the two writes;
here they stand in that order.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]

SLOTS: Final = 2


class FenceList:
    """Slots, of which the first `count` are in use, read without a lock. `_lock` is the writers'."""

    def __init__(self) -> None:
        self._lock = current().lock()
        self.count = Cell("count", 0)
        self.slots = [Cell[str | None](f"slot {index}", None) for index in range(SLOTS)]

    def add(self, fence: str) -> None:
        """Append."""
        with self._lock:
            self.publish_locked(self.count.load(), fence)

    def publish_locked(self, index: int, fence: str) -> None:
        """Let readers see `fence` at `index`."""
        self.slots[index].store(fence)
        self.count.store(index + 1)

    def read(self) -> list[str | None]:
        """Return what is there. Any context."""
        return [self.slots[index].load() for index in range(self.count.load())]


class FenceListAsItWas(FenceList):
    """Counts first."""

    def publish_locked(self, index: int, fence: str) -> None:
        self.count.store(index + 1)
        self.slots[index].store(fence)


def model(fences: FenceList, runtime: Runtime) -> None:
    """Read the list while it grows."""

    def read() -> None:
        assert None not in fences.read(), "a slot that is counted holds no fence"

    def add() -> None:
        for fence in range(SLOTS):
            fences.add(f"fence {fence}")

    runtime.spawn(add, "writer")
    runtime.spawn(read, "reader")


BUG = Bug(
    name="reservation-count-before-slot",
    title=None,
    fix="72c7d62583eb (dma-resv), May 2025; title not known",
    symptom="a reader follows a pointer to nothing",
    interleaving="the writer's new count is seen; a reader goes that far, and finds an empty slot; the writer's fence"
    " is seen",
    repair="put the barrier between the slot and the count",
    broken=lambda runtime: model(FenceListAsItWas(), runtime),
    fixed=lambda runtime: model(FenceList(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
