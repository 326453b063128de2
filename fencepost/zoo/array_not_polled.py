"""An array that only counted, although nobody had asked its members to be counted."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence, FenceArray
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class ArrayAsItWas(FenceArray):
    """Trusts a counter that moves only once somebody waits."""

    __slots__ = ()

    def poll(self) -> bool:
        return self._missing <= 0


def model(array_class: type[FenceArray], runtime: Runtime) -> None:
    """Poll an array after its members have signalled. Goes wrong under every schedule."""
    members = [Fence(name="a"), Fence(name="b")]
    array = array_class(members)
    devices = [runtime.spawn(member.signal, f"device of {member.name}") for member in members]
    for device in devices:
        device.join()
    assert array.signaled, "the members have all signalled, and whoever polls the array never hears of it"


BUG = Bug(
    name="array-not-polled",
    title=None,
    fix="78ac1c355881 (dma-fence-array), November 2024, mesa issue 12094; title not known",
    symptom="a program that polls spins for ever",
    interleaving="all members signal; nobody has waited for the array, so it has no callbacks on them and its counter"
    " stands where it began; a poll reads the counter and nothing else",
    repair="look at the members themselves while nobody has them counted",
    broken=lambda runtime: model(ArrayAsItWas, runtime),
    fixed=lambda runtime: model(FenceArray, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
