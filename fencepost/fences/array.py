"""An array: a fence for all of several others, or for any of them.

(kernel: dma_fence_array)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fencepost.fences.container import ContainerFence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fencepost.fences.fence import Fence

__all__ = ["FenceArray"]


class FenceArray(ContainerFence):
    """Signals when all of its members have, or any.

    Its error is the first that it notices: in the order in which the members signal while somebody waits for it, else
    in their order in the array. What fails after the signal does not matter.

    The fence's lock protects the counter, the error and the list of members that are not watched yet.

    Args:
        fences: the members, one or more; no arrays and no chains, see `merge`.
        context: the timeline it is on; None takes a new one when somebody asks for it.
        seqno: its place on that timeline.
        signal_on_any: whether one member is enough.

    Raises ValueError for no members, or one that is a container itself.

    Attributes:
        fences: the members, in the order given.
        signal_on_any: as given.
    """

    __slots__ = ("_missing", "_polled", "_unwatched", "fences", "signal_on_any")

    def __init__(
        self, fences: Iterable[Fence], *, context: int | None = None, seqno: int = 1, signal_on_any: bool = False
    ) -> None:
        super().__init__(context, seqno)
        self.fences = tuple(fences)
        self.signal_on_any = signal_on_any
        if not self.fences:
            raise ValueError("an array of no fences, expected at least one")
        for fence in self.fences:
            if isinstance(fence, ContainerFence):
                raise ValueError(f"an array with {fence!r} in it, expected no containers: see merge")  # noqa: TRY004
        self._missing = 1 if signal_on_any else len(self.fences)
        self._unwatched = list(reversed(self.fences))
        self._polled = 0

    def set_deadline(self, when_ns: int) -> None:
        """Hand the hint on to every member."""
        for fence in self.fences:
            fence.set_deadline(when_ns)

    def arm(self) -> None:
        while (fence := self._next_unwatched()) is not None:
            try:
                is_watched = self.watch(fence)
            except BaseException:
                with self._lock:
                    self._unwatched.append(fence)
                raise
            if not is_watched:
                self.count(fence)

    def _next_unwatched(self) -> Fence | None:
        """Take a member that is not watched; None when all are, or it does not matter any more."""
        with self._lock:
            return self._unwatched.pop() if self._unwatched and not self._state else None

    def count(self, fence: Fence) -> None:
        with self._lock:
            self._note_locked(fence.error)
            self._missing -= 1
            is_last = self._missing == 0
        if is_last:
            self.signal()

    def poll(self) -> bool:
        return self._any_signaled() if self.signal_on_any else self._all_signaled()

    def _any_signaled(self) -> bool:
        for fence in self.fences:
            if fence.signaled:
                self._note(fence.error)
                return True
        return False

    def _all_signaled(self) -> bool:
        # Goes on where the last poll ended, so that polling costs no more than the members do.
        while (place := self._polled) < len(self.fences):
            fence = self.fences[place]
            if not fence.signaled:
                return False
            self._note(fence.error)
            with self._lock:
                self._polled = max(self._polled, place + 1)
        return True

    def _note(self, error: int) -> None:
        with self._lock:
            self._note_locked(error)

    def _note_locked(self, error: int) -> None:
        if error and not self._error and not self._state:
            self._error = error
