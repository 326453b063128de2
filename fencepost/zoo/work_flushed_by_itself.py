"""A piece of work whose last act set off somebody who waited for its end: itself.

The product has no memory managers; the model has the kernel's: a reference count and a notifier.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Gate
from fencepost.zoo.bug import Bug
from fencepost.zoo.refcount import Counted

__all__ = ["BUG"]


class Process:
    """Its memory is held by the process, and by the work that restores it."""

    def __init__(self) -> None:
        self._memory = Memory(self)
        self._restored = Gate("end of the restore")

    def restore(self) -> None:
        """Bring its memory back, unless it has gone. The work."""
        if self._memory.get_unless_zero():
            self._memory.touch()
            self._memory.put()
        self._restored.open()

    def exit(self) -> None:
        """Give the memory up, and see the work to its end."""
        self._memory.put()
        self.flush()

    def flush(self) -> None:
        """Wait until the work is done."""
        self._restored.wait()

    def memory_goes(self) -> None:
        """Take leave of the memory, by whoever puts the last reference of it."""


class Memory(Counted):
    """Tells its process before it goes."""

    def __init__(self, process: Process) -> None:
        super().__init__("process memory")
        self._process = process

    def release(self) -> None:
        self._process.memory_goes()
        super().release()


class ProcessAsItWas(Process):
    """Sees the work to its end before the memory goes."""

    def memory_goes(self) -> None:
        self.flush()


def model(process: Process, runtime: Runtime) -> None:
    """End a process while its memory is restored."""
    runtime.spawn(process.restore, "restore worker")
    runtime.spawn(process.exit, "process")


BUG = Bug(
    name="work-flushed-by-itself",
    title=None,
    fix="6225bb3a88d2 and a29e067bd389 (KFD), dates and titles not known",
    symptom="a worker hangs, and every process that exits after it",
    interleaving="the process puts its reference of the memory; the work puts the last one, so the release runs in the"
    " worker, and waits there for the work to end",
    repair="flush the restore work outside of the memory's release",
    broken=lambda runtime: model(ProcessAsItWas(), runtime),
    fixed=lambda runtime: model(Process(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
