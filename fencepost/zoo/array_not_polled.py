"""An array that only counted, although nobody had asked its members to be counted.

The product has no arrays yet; the model has the kernel's.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.kernel_array import KernelArray
from fencepost.zoo.kernel_fence import KernelFence

__all__ = ["BUG"]


class ArrayAsItWas(KernelArray):
    """Trusts a counter that moves only once somebody waits."""

    def members_done(self, pending: int) -> bool:
        return pending <= 0


def model(array_class: type[KernelArray], runtime: Runtime) -> None:
    """Poll an array after its members have signalled. Goes wrong under every schedule."""
    members = [KernelFence("a"), KernelFence("b")]
    array = array_class(members)
    devices = [runtime.spawn(member.signal, f"device of {member.name}") for member in members]
    for device in devices:
        device.join()
    assert array.is_signaled(), "the members have all signalled, and whoever polls the array never hears of it"


BUG = Bug(
    name="array-not-polled",
    title=None,
    fix="78ac1c355881 (dma-fence-array), November 2024, mesa issue 12094; title not known",
    symptom="a program that polls spins for ever",
    interleaving="all members signal; nobody has waited for the array, so it has no callbacks on them and its counter"
    " stands where it began; a poll reads the counter and nothing else",
    repair="look at the members themselves while nobody has them counted",
    broken=lambda runtime: model(ArrayAsItWas, runtime),
    fixed=lambda runtime: model(KernelArray, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
