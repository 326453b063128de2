"""A program that replaced itself by another, whose object was made while that of the first was still there.

The product knows a process by itself and not by a number; the model has the kernel's directory of them.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Gate, current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

NUMBER: Final = 1


class Directory:
    """Who computes, by number. What goes is freed by a work queue, since its memory is let go where nobody may block.

    `_lock` protects the numbers; a leaf.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = current().lock()
        self._numbers = {NUMBER}
        self._freed: list[Gate] = []

    def execute(self) -> None:
        """Replace a program by another of the same number."""
        self.release()
        self.create()

    def release(self) -> None:
        """Have the object of the program freed, whose memory goes."""
        freed = Gate("end of the work")
        self._freed.append(freed)
        self._runtime.spawn(lambda: self._free(freed), "work queue")

    def create(self) -> None:
        """Make the object of a program, when it first asks for one."""
        self.drain()
        with self._lock:
            assert NUMBER not in self._numbers, "there is a process of that number"
            self._numbers.add(NUMBER)

    def drain(self) -> None:
        """Wait until the work is done that was queued."""
        for freed in self._freed:
            freed.wait()

    def _free(self, freed: Gate) -> None:
        with self._lock:
            self._numbers.remove(NUMBER)
        freed.open()


class DirectoryAsItWas(Directory):
    """Thinks that whoever asks is the first of its number."""

    def drain(self) -> None:
        pass


def model(directory_class: type[Directory], runtime: Runtime) -> None:
    """Have a program that computes replace itself by another that does."""
    directory = directory_class(runtime)
    runtime.spawn(directory.execute, "program")


BUG = Bug(
    name="process-made-before-last-was-freed",
    title=None,
    fix="f5b9053398e7 (KFD), date and title not known",
    symptom="a program that was started by exec cannot compute",
    interleaving="a program replaces itself by another; the memory of the first goes, which leaves its object to a work"
    " queue; the second opens the device and finds an object of its number; then the work runs",
    repair="see the work queue to its end before an object is made",
    broken=lambda runtime: model(DirectoryAsItWas, runtime),
    fixed=lambda runtime: model(Directory, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
