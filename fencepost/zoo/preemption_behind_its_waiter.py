"""A preemption that waited, in an ordered work queue, for one that stood behind it there."""

from __future__ import annotations

from typing import ClassVar

from fencepost.actors import Actor, Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence, Preemption
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class Queue(Actor):
    """The work queue of all preemptions, which takes one after the other."""

    signals: ClassVar = True

    def on_preempt(self, context: Context) -> None:
        """Take a context off the hardware."""
        context.suspend()
        context.preemption.suspended()


class Context:
    """Long-running work on the hardware.

    Attributes:
        preemption: how it leaves.
        partner: what is to have left when this one has, or None.
    """

    def __init__(self, queue: Queue, name: str) -> None:
        self.preemption = Preemption(lambda: queue.post(self), name=name)
        self.partner: Context | None = None

    @property
    def leaving(self) -> Fence:
        """The fence that says it is off the hardware."""
        return self.preemption.fence

    def suspend(self) -> None:
        """Have the hardware stop it, and the partner with it; that one says so by its own fence."""
        if self.partner is not None:
            self.partner.leaving.enable_signaling()


class ContextAsItWas(Context):
    """Waits until the partner has stopped."""

    def suspend(self) -> None:
        if self.partner is not None:
            self.partner.leaving.wait()


Queue.messages = {Context: Queue.on_preempt, ContextAsItWas: Queue.on_preempt}


def model(context_class: type[Context], runtime: Runtime) -> None:
    """Preempt two contexts that belong together."""
    queue = runtime.start(Queue, name="preempt queue")
    first, second = context_class(queue, "first"), context_class(queue, "second")
    first.partner = second
    for context in (first, second):
        runtime.spawn(context.leaving.wait, f"{context.preemption.name} wanted")


BUG = Bug(
    name="preemption-behind-its-waiter",
    title=None,
    fix="none: what an ordered work queue of preempt fences must not do (Xe has one for all of a device)",
    symptom="no preemption of the device ends, and memory is never free again",
    interleaving="the work of the first preemption waits for the fence of the second, whose work stands behind it in"
    " the same queue",
    repair="start the other preemption, and do not wait for it",
    broken=lambda runtime: model(ContextAsItWas, runtime),
    fixed=lambda runtime: model(Context, runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
