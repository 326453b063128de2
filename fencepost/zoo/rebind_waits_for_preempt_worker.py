"""A rebind that waited for a preemption, holding the lock which the worker of the preemption wanted."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Preemption
from fencepost.hw.memory import PAGE_BYTES, MemoryManager, Vm
from fencepost.sync import Gate
from fencepost.sync.observer import signalling
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class Context:
    """Long-running work of an address space, on the hardware."""

    def __init__(self, vm: Vm) -> None:
        self.vm = vm
        self._asked = Gate("the wish to preempt")
        self.preemption = Preemption(self._asked.open, name="preempt worker")

    def preempt(self) -> None:
        """Take it off the hardware, when somebody wants that. The worker."""
        self._asked.wait()
        with signalling():
            self.suspend()
            self.preemption.suspended()

    def suspend(self) -> None:
        """Have the hardware stop it."""

    def rebind(self) -> None:
        """Change what is bound, once it is off."""
        with self.vm.lock.write():
            self.preemption.fence.wait()


class ContextAsItWas(Context):
    """Looks up what is bound before it stops."""

    def suspend(self) -> None:
        with self.vm.lock.read():
            self.vm.bindings()


def model(context_class: type[Context], runtime: Runtime) -> None:
    """Rebind an address space while its work runs."""
    context = context_class(Vm(MemoryManager(PAGE_BYTES, PAGE_BYTES), long_running=True))
    runtime.spawn(context.preempt, "preempt worker")
    runtime.spawn(context.rebind, "rebind worker")


BUG = Bug(
    name="rebind-waits-for-preempt-worker",
    title=None,
    fix="none: Xe forbids it, by the comments of its preempt fences and the order of its locks",
    symptom="an address space hangs, and all preemptions behind it",
    interleaving="the rebind worker has the lock of the address space and waits for its preempt fence; the preempt"
    " worker, who would signal that, wants the lock",
    repair="take no lock in a preempt worker that anybody holds while waiting for a fence",
    broken=lambda runtime: model(ContextAsItWas, runtime),
    fixed=lambda runtime: model(Context, runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
