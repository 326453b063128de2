"""Who finds memory when there is none left, and a way to say that there is none."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from fencepost.errors import WrongState
from fencepost.hw.memory.placement import Placement
from fencepost.sync import World, current

if TYPE_CHECKING:
    from fencepost.hw.memory.manager import MemoryManager

__all__ = ["RECLAIM", "MemoryPressure", "Shrinker"]

RECLAIM: Final = "reclaim"
"""What a task is at that frees memory because it wants some."""


class Shrinker:
    """Frees system memory: the buffer used least recently goes to the disk.

    (kernel: a shrinker of a driver)
    """

    def __init__(self, memory: MemoryManager) -> None:
        self._memory = memory

    def reclaim(self) -> int:
        """Have one buffer leave system memory; return how many bytes that frees, 0 when none can. Client context.

        Takes a reservation only where nobody holds it, and then waits until all its fences have signalled.
        """
        with reclaiming():
            victim = self._memory.lock_victim(Placement.SYSTEM)
            if victim is None:
                return 0
            try:
                self._memory.evict(victim)
            finally:
                victim.reservation.unlock()
        return victim.size_bytes


class MemoryPressure:
    """In the body there is never any memory left: whoever wants some, and may wait for it, frees some first.

    That is each `might_alloc` of its world, but for those in the middle of freeing. (kernel: direct reclaim)

    Raises WrongState where there is pressure already.
    """

    def __init__(self, memory: MemoryManager) -> None:
        self._memory = memory
        self._world: World | None = None

    def __enter__(self) -> Self:
        world = current()
        if world.reclaim is not None:
            raise WrongState(f"memory is short already in this {world.name} world")
        self._world = world
        world.reclaim = self._reclaim
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        assert self._world is not None
        self._world.reclaim = None

    def _reclaim(self) -> None:
        if current().task().errand != RECLAIM:
            self._memory.shrinker.reclaim()


@contextmanager
def reclaiming() -> Generator[None]:
    """Note that the calling task frees memory in the body."""
    task = current().task()
    before, task.errand = task.errand, RECLAIM
    try:
        yield
    finally:
        task.errand = before
