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


class Process(Counted):
    """The memory of a process, held by the process and by the work that restores it."""

    def __init__(self) -> None:
        super().__init__("process memory")
        self._restored = Gate("end of the restore")

    def restore(self) -> None:
        """Bring its memory back, unless it has gone. The work."""
        if self.get_unless_zero():
            self.touch()
            self.put()
        self._restored.open()

    def exit(self) -> None:
        """Give the memory up, and see the work to its end."""
        self.put()
        self.flush()

    def flush(self) -> None:
        """Wait until the work is done."""
        self._restored.wait()


class ProcessAsItWas(Process):
    """Sees the work to its end before the memory goes."""

    def release(self) -> None:
        self.flush()
        super().release()


def model(process: Process, runtime: Runtime) -> None:
    """End a process while its memory is restored."""
    runtime.spawn(process.restore, "restore worker")
    runtime.spawn(process.exit, "process")


BUG = Bug(
    name="work-flushed-by-itself",
    title="flush the restore work outside of the memory's release",
    fix="6225bb3a88d2, a29e067bd389 (KFD)",
    symptom="a worker hangs, and every process that exits after it",
    interleaving="the process puts its reference of the memory; the work puts the last one, so the release runs in the"
    " worker, and waits there for the work to end",
    broken=lambda runtime: model(ProcessAsItWas(), runtime),
    fixed=lambda runtime: model(Process(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
