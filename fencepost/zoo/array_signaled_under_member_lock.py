"""An array that its last member signalled right from its own callback.

The product runs callbacks and calls members without a lock; the model is the kernel's.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Gate, current
from fencepost.zoo.bug import Bug
from fencepost.zoo.kernel_array import KernelArray
from fencepost.zoo.kernel_fence import KernelFence

__all__ = ["BUG"]


class ArrayAsItWas(KernelArray):
    """Takes its own lock under that of a member."""

    def signal_from_member(self) -> None:
        self.complete()


def model(array_class: type[KernelArray], runtime: Runtime) -> None:
    """Wait for any of two fences of one timeline, which share its lock, while the first signals."""
    timeline = current().lock()
    members = [KernelFence("first", timeline), KernelFence("second", timeline)]
    array = array_class(members, signal_on_any=True)
    done = Gate("array")
    runtime.spawn(members[0].signal, "device")
    if array.add_callback(done.open):
        done.wait()


BUG = Bug(
    name="array-signaled-under-member-lock",
    title=None,
    fix="03e4e0a9e02c (dma-fence-array), November 2017, reported in 2016; title not known",
    symptom="two CPUs hang, each with interrupts off",
    interleaving="a waiter has the array's lock and wants the members' one, to add the array's callback to the second;"
    " the first signals under that lock, calls the callback it was given, and wants the array's",
    repair="leave the signal of the array to a worker",
    broken=lambda runtime: model(ArrayAsItWas, runtime),
    fixed=lambda runtime: model(KernelArray, runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
