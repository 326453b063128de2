"""The callbacks of a fence, and what becomes of them when nobody keeps it."""

from __future__ import annotations

import errno
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # It imports this module; only the type checkers need the way back.
    from fencepost.fences.fence import Fence

__all__ = ["Callbacks"]


class Callbacks(list["Callable[[Fence], object]"]):
    """A list that speaks up when it goes with somebody still on it.

    A fence that goes before it signalled takes its list with it, and the list's finalizer does what dma_fence_release
    does: warn, and signal with -EDEADLK, so that nothing hangs. It cannot reach the fence, so a stand-in is signalled;
    nobody can tell, since nobody has the fence. A finalizer of the fence would reach it, but make every
    fence cost 12 % more, with callbacks or without.

    Where the garbage collector has to find the fence, this happens at any point of any thread: a callback that takes a
    lock may find it taken by its own thread, and one that wakes a task of a virtual world may be in the wrong thread.

    Attributes:
        origin: what makes the stand-in, and the context, seqno and name of the fence.
    """

    __slots__ = ("origin",)

    origin: tuple[type[Fence], int | None, int, str]

    def __del__(self) -> None:
        # One that is false is missed by nobody: see `fencepost.fences.container`.
        if any(self):
            self._abandoned()

    def _abandoned(self) -> None:
        make, context, seqno, name = self.origin
        stand_in = make(context, seqno, name)
        said = f"{stand_in!r} was dropped with {len(self)} callbacks: keep a fence until it signals"
        for callback in self:
            stand_in.add_callback(callback)
        self.clear()
        try:
            stand_in.signal(-errno.EDEADLK)
        finally:
            warnings.warn(said, RuntimeWarning, stacklevel=1)
