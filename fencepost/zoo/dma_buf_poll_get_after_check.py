"""A poll that made sure that its fence was still the right one, and then took the reference.

The product has no shared buffers yet; the model has the kernel's.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell, Counter
from fencepost.zoo.refcount import Counted

__all__ = ["BUG"]


class Buffer:
    """A buffer whose fence is replaced by every writer. `_lock` protects the fence; `sequence` tells of changes."""

    def __init__(self, fence: Counted) -> None:
        self._lock = current().lock()
        self.slot = Cell("slot", fence)
        self.sequence = Counter("sequence", 0)

    def replace(self, fence: Counted) -> None:
        """Put another fence in."""
        with self._lock:
            before = self.slot.exchange(fence)
            self.sequence.add(1)
        before.put()

    def poll(self) -> None:
        """Add a callback to the fence."""
        fence = self.find()
        fence.touch()
        fence.put()

    def find(self) -> Counted:
        """Return the fence with a reference for the caller."""
        with self._lock:
            fence = self.slot.load()
            fence.get()
            return fence


class BufferAsItWas(Buffer):
    """Checks, then takes."""

    def find(self) -> Counted:
        while True:
            sequence = self.sequence.load()
            fence = self.slot.load()
            if sequence == self.sequence.load():
                fence.get()
                return fence


def model(buffer_class: type[Buffer], runtime: Runtime) -> None:
    """Poll a buffer while its fence is replaced."""
    buffer = buffer_class(Counted("old fence"))
    runtime.spawn(buffer.poll, "poller")
    runtime.spawn(lambda: buffer.replace(Counted("new fence")), "writer")


BUG = Bug(
    name="dma-buf-poll-get-after-check",
    title=None,
    fix="6b51b02a3a0a (dma-buf), 2021; title not known",
    symptom="use after free of a fence",
    interleaving="a poll reads the fence and then that nothing has changed; a writer replaces the fence and puts its"
    " last reference; the poll takes a reference of it",
    repair="take the reference under the lock of the reservation",
    broken=lambda runtime: model(BufferAsItWas, runtime),
    fixed=lambda runtime: model(Buffer, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
