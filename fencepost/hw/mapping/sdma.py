"""The engine of a GPU that writes page tables."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from fencepost.events import EventRing
from fencepost.fences import Fence, context_alloc
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.execution import Execution, RingBuffer
from fencepost.sync import current
from fencepost.sync.tracking import tracked

__all__ = ["Sdma", "Update"]


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """A change of a page table, on its way or done.

    Attributes:
        fence: signals when it is done; with an error when it was not.
        maps: whether it writes an entry, or takes one away.
        execution: its account on the engine.
    """

    fence: Fence
    maps: bool
    execution: Execution


@tracked("_updates", "_hangs")
class Sdma:
    """Writes page tables of any process, one update after the other, in the order they came.

    Life cycle: *working* <-> *hung*, by `hang` and `reset`.

    Any context; never blocks. What is on it is protected by the engine's lock.

    Args:
        name: what events and reports call it.
        slots: for how many updates there is room.
        events: where to note what it executes.
    """

    def __init__(self, name: str, *, slots: int = 64, events: EventRing | None = None) -> None:
        self.name = name
        self.slots = slots
        self._engine = ClockedEngine(name)
        self._engine.attach(current(), events)
        self._ring = RingBuffer(priority=0)
        self._context = context_alloc()
        self._updates = 0
        self._hangs = False

    def submit(self, client: str, duration_ns: int, *, maps: bool, reserve: bool = False) -> Update:
        """Take an update, behind all others.

        Args:
            client: whom its time is charged to.
            duration_ns: how long it takes.
            maps: what it does.
            reserve: whether it may use the room that is kept for who undoes something.

        Raises OSError ENOMEM when there is no room for its commands.
        """
        with self._engine as engine:
            if len(self._ring.batches) >= self.slots and not reserve:
                raise OSError(errno.ENOMEM, f"{self.name} has no room for commands: {self.slots} slots, none free")
            self._updates += 1
            fence = Fence(self._context, self._updates, self.name)
            execution = Execution(
                ring=self._ring,
                client=client,
                finished=fence,
                fence=fence,
                left_ns=None if self._hangs else duration_ns,
                granularity_ns=0,
            )
            engine.submit(execution)
        return Update(fence, maps, execution)

    def cancel(self, update: Update) -> None:
        """Take an update off: it has signalled when this returns, with -ECANCELED unless it was done."""
        with self._engine as engine:
            engine.cancel(update.execution, -errno.ECANCELED)
        # Another task may be about to do it.
        update.execution.signal()

    def hang(self) -> None:
        """Let no update that comes from now on end, until a reset."""
        with self._engine:
            self._hangs = True

    def reset(self) -> None:
        """Reset it, as part of its GPU: what ran ends with -EIO, what is behind with -ECANCELED."""
        with self._engine as engine:
            self._hangs = False
            lost = tuple(self._ring.batches)
            engine.halt()
            for place, execution in enumerate(lost):
                engine.cancel(execution, -errno.ECANCELED if place else -errno.EIO)
            engine.resume()
        for execution in lost:
            execution.signal()

    def __repr__(self) -> str:
        return f"<{self.name}>"
