"""A display that locked a buffer while others, who held it, waited for the display.

The product has no displays; the model has the two steps of a commit that matter.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence, promise
from fencepost.fences.locking import locked
from fencepost.fences.reservation import Reservation
from fencepost.fences.usage import Usage
from fencepost.sync.observer import signalling
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class Display:
    """Shows a buffer, and says by a fence when it does."""

    def __init__(self, buffer: Reservation) -> None:
        self.buffer = buffer
        self.shown = Fence(name="flip")
        promise(self.shown, by="commit")

    def prepare(self) -> None:
        """Find out what must be known of the buffer, and publish the fence."""
        with locked([self.buffer]):
            self.layout()
            self.buffer.reserve()
            self.buffer.add(self.shown, Usage.WRITE)

    def commit(self) -> None:
        """Show it."""
        with signalling():
            self.program()
            self.shown.signal()

    def program(self) -> None:
        """Tell the hardware what was found out."""

    def layout(self) -> None:
        """Read how the buffer is laid out, under its lock."""


class DisplayAsItWas(Display):
    """Reads the layout when it needs it."""

    def program(self) -> None:
        with locked([self.buffer]):
            self.layout()


def model(display_class: type[Display], runtime: Runtime) -> None:
    """Show a buffer. That somebody waits for the fence meanwhile, with the buffer locked, does not matter."""
    display = display_class(Reservation("buffer"))
    display.prepare()
    runtime.spawn(display.commit, "commit")


BUG = Bug(
    name="reservation-locked-in-commit",
    title=None,
    fix="2020, in the series that annotates dma-fence for lockdep (amdgpu display); title and commit not known",
    symptom="the display hangs, and whoever uses the buffer",
    interleaving="the fence of a flip is in the reservation of a buffer; somebody locks that and waits for the fence;"
    " the commit, who would signal it, wants the lock to read the layout of the buffer",
    repair="read it before the fence is published, and keep it",
    broken=lambda runtime: model(DisplayAsItWas, runtime),
    fixed=lambda runtime: model(Display, runtime),
    finds=frozenset({Kind.LOCK_ORDER, Kind.DEADLOCK}),
    observe=True,
)
