"""An array that a poll completed too early, beside a client that began to wait.

Never released: the first way to mend `array-not-polled`, and why its order of reads is what it is. The product's
polls count afresh and share no counter with who waits; the model is the kernel's.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.kernel_array import KernelArray
from fencepost.zoo.kernel_fence import KernelFence

__all__ = ["BUG"]

POLLS: Final = 3


class ArrayAsItWas(KernelArray):
    """Looks at the flag first, then at a counter that may have begun to move."""

    def poll(self) -> bool:
        enabled = self.enabled.load()
        pending = self.pending.load()
        complete = pending <= 0 if enabled else self.members_done(pending)
        if complete:
            self.polled_complete()
        return complete


def model(array_class: type[KernelArray], runtime: Runtime) -> None:
    """Poll an array of one complete and one pending member while another client begins to wait for it."""
    members = [KernelFence("a"), KernelFence("b")]
    array = array_class(members)
    members[0].signal()

    def poll() -> None:
        for _ in range(POLLS):
            assert not array.is_signaled(), "the array has signalled before its member b"

    runtime.spawn(poll, "poller")
    array.add_callback(lambda: None)


BUG = Bug(
    name="array-member-counted-twice",
    title=None,
    fix="review of 78ac1c355881 (dma-fence-array), November 2024, before it was merged; title not known",
    symptom="an array signals while one of its members is pending",
    interleaving="a poll finds that nobody waits; now somebody does, and the complete member is counted off; the poll"
    " reads that one is pending, finds one member complete, and takes it for that one",
    repair="read how many are pending before whether anybody waits",
    broken=lambda runtime: model(ArrayAsItWas, runtime),
    fixed=lambda runtime: model(KernelArray, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
