"""Which of the waiting rings an engine serves next."""

from __future__ import annotations

import heapq
from typing import Generic, Protocol, TypeVar

from fencepost.sync.tracking import tracked

__all__ = ["Arbiter", "Waits"]


class Waits(Protocol):
    """A ring, or what else waits for its turn.

    Attributes:
        turn: its place in the order of waiting, None while it does not wait. Kept by the arbiter.
    """

    turn: int | None

    @property
    def priority(self) -> int:
        """The lower number is the more important one."""
        ...


R = TypeVar("R", bound=Waits)


@tracked("_turns")
class Arbiter(Generic[R]):
    """The rings that wait for one engine: the most important first, among equals the one that waits longest.

    A ring waits from the moment that its oldest batch could run. So the end or the preemption of a batch sends its ring
    behind its equals, and rings that always have something take turns.
    """

    def __init__(self) -> None:
        # A ring that stopped waiting leaves its entry behind: an entry counts only if the turn is still the ring's.
        self._heap: list[tuple[int, int, R]] = []
        self._turns = 0

    def enter(self, ring: R) -> None:
        """Let a ring wait, behind its equals. It does not wait yet."""
        assert ring.turn is None
        self._turns += 1
        ring.turn = self._turns
        heapq.heappush(self._heap, (ring.priority, self._turns, ring))

    def leave(self, ring: R) -> None:
        """Let a ring wait no more, if it does."""
        ring.turn = None

    def first(self) -> R | None:
        """Return the ring to serve next; None when none waits."""
        heap = self._heap
        while heap and heap[0][2].turn != heap[0][1]:
            heapq.heappop(heap)
        return heap[0][2] if heap else None
