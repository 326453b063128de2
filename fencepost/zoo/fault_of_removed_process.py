"""A page fault that was still on its way when its process was removed.

The product's faults hold their address space; the model's, like the kernel's, have the number of a process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from fencepost.actors import Actor, Runtime
from fencepost.actors.dispatch import Dispatch
from fencepost.checks import Kind
from fencepost.sync import Gate, current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

NUMBER: Final = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """Engine -> handler: an access of a process waits for memory; if nobody answers, it is tried again."""

    number: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Process -> handler: say when all that came before was dealt with."""

    reached: Gate


class Handler(Actor):
    """Deals with faults, in order. `_lock` protects the table of processes; a leaf."""

    def __init__(self, dispatch: Dispatch, name: str) -> None:
        super().__init__(dispatch, name)
        self._lock = current().lock()
        self._processes = {NUMBER}

    def on_fault(self, message: Fault) -> None:
        """Bring memory of a process."""
        with self._lock:
            assert message.number in self._processes, "a fault of a process that nobody knows is taken for a real one"

    def on_mark(self, message: Mark) -> None:
        """Tell who waits."""
        message.reached.open()

    messages: ClassVar = {Fault: on_fault, Mark: on_mark}

    def remove(self) -> None:
        """Forget a process, whose queues are off the hardware. Client context."""
        self.drain()
        with self._lock:
            self._processes.remove(NUMBER)

    def drain(self) -> None:
        """Wait until the faults are dealt with that have come."""
        mark = Mark(Gate("the mark among the faults"))
        self.post(mark)
        mark.reached.wait()


class HandlerAsItWas(Handler):
    """Thinks that what is off the hardware has no faults."""

    def drain(self) -> None:
        pass


def model(handler_class: type[Handler], runtime: Runtime) -> None:
    """End a process whose queues have faulted just before they left the hardware."""
    handler = runtime.start(handler_class, name="fault handler")
    handler.post(Fault(NUMBER))
    runtime.spawn(handler.remove, "process")


BUG = Bug(
    name="fault-of-removed-process",
    title=None,
    fix="1ddaa025403c (KFD), date and title not known",
    symptom="faults are reported of programs that have ended well",
    interleaving="an engine faults and puts that into the ring of faults; the queues of the process are taken off, and"
    " the process is removed; the handler comes to the fault and finds nobody of that number",
    repair="deal with the faults that have come before the process is removed",
    broken=lambda runtime: model(HandlerAsItWas, runtime),
    fixed=lambda runtime: model(Handler, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
