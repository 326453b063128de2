"""An array that signalled with the error that stands for "none so far".

The product needs no placeholder for an error; the model is the kernel's.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Gate
from fencepost.zoo.bug import Bug
from fencepost.zoo.kernel_array import KernelArray
from fencepost.zoo.kernel_fence import KernelFence

__all__ = ["BUG"]


class ArrayAsItWas(KernelArray):
    """Settles the error on one of the two ways to the signal."""

    def polled_complete(self) -> None:
        """Leave the error as it is."""


def model(array_class: type[KernelArray], runtime: Runtime) -> None:
    """Poll an array that somebody waits for while its member signals."""
    member = KernelFence("member")
    array = array_class([member])
    done = Gate("array")
    array.add_callback(done.open)

    def poll() -> None:
        if array.is_signaled():
            error = array.error.load()
            assert error <= 0, f"the array has signalled with an error of {error}"

    runtime.spawn(member.signal, "device")
    runtime.spawn(poll, "poller")
    done.wait()


BUG = Bug(
    name="array-pending-error-leaks",
    title=None,
    fix="95d35838880f (dma-fence-array), November 2021; broken by 1f70b8b812f3; title not known",
    symptom="a fence with an error of +1, which no errno is",
    interleaving="the last member counts itself off and leaves the signal to a worker; before that runs, a poll finds"
    " the counter at zero and signals, without the worker's other duty: to replace the placeholder of the error",
    repair="replace the placeholder on either way to the signal",
    broken=lambda runtime: model(ArrayAsItWas, runtime),
    fixed=lambda runtime: model(KernelArray, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
