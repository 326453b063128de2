"""Accesses of work on an engine to memory, and what happens where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fencepost.actors import Job
    from fencepost.hw.clocked_engine import ClockedEngine
    from fencepost.hw.execution import Execution
    from fencepost.sync import Task

__all__ = ["AccessFault", "AddressSpace"]


class AddressSpace(Protocol):
    """What an engine asks about the memory that its work touches. See `Vm` in `fencepost.hw.memory`."""

    def is_mapped(self, address: int) -> bool:
        """Say whether the page tables lead on from an address. Called under the engine's lock."""
        ...

    def faulted(self, fault: AccessFault) -> None:
        """Have a fault answered, now or later. Called without locks by whoever comes by first; never blocks."""
        ...


class AccessFault:
    """Work waits on its engine until somebody has brought what it wants to touch.

    Life cycle: *waiting* -> *answered*, by `ack` or `nack`; *dead* when the work was taken off meanwhile.

    Attributes:
        job: whose work.
        address: what it wants to touch.
        handler: the task that deals with it, or None. For reports.
    """

    __slots__ = ("_engine", "_execution", "address", "handler", "job")

    def __init__(self, engine: ClockedEngine, job: Job, execution: Execution, address: int) -> None:
        self._engine = engine
        self._execution = execution
        self.job = job
        self.address = address
        self.handler: Task | None = None

    @property
    def pending(self) -> bool:
        """True while it waits, as far as can be seen without a lock. For reports."""
        return self._execution.stalled and self._execution.end_ns is None

    @property
    def gives_way(self) -> bool:
        """Whether the work can be preempted while it waits."""
        return self._execution.leaves_stalled

    @property
    def dead(self) -> bool:
        """True once nobody waits for the answer: the work was taken off its engine. Any context."""
        return not self._engine.is_stalled(self._execution)

    def ack(self) -> None:
        """Have the work try again. Never blocks; any context; does nothing when it is dead."""
        self._engine.retry(self._execution)

    def nack(self) -> None:
        """Have the work stuck, to be recovered as from any fault. As `ack`."""
        self._engine.refuse(self._execution)

    def __repr__(self) -> str:
        return f"<fault of {self.job!r} at {self.address:#x}>"
