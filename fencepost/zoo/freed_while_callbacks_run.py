"""An owner who saw that its fence had signalled, and freed what the fence's callbacks used."""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.refcount import Counted

__all__ = ["BUG"]

POLL_S: Final = 0.001


class FenceAsItWas(Fence):
    """Offers nothing but the flag."""

    __slots__ = ()

    def wait_for_callbacks(self) -> None:
        """Wait for nobody."""


def model(fence: Fence, runtime: Runtime) -> None:
    """Poll a fence, and free what a callback uses once it has signalled."""
    context = Counted("execution context")
    fence.add_callback(lambda _fence: context.touch())
    runtime.spawn(fence.signal, "device")
    while not fence.signaled:
        current().sleep(POLL_S)
    fence.wait_for_callbacks()
    context.put()


BUG = Bug(
    name="freed-while-callbacks-run",
    title=None,
    fix="open: an RFC of 8 June 2026 (P. Stanner)",
    symptom="use after free of what belongs to a driver, in a callback of its fence",
    interleaving="the device sets the flag and is about to run the callbacks; the owner reads the flag, takes the fence"
    " for done with, and frees what they use",
    repair="tell when the signaller has left the fence, beyond the flag: here, wait_for_callbacks",
    broken=lambda runtime: model(FenceAsItWas(name="job"), runtime),
    fixed=lambda runtime: model(Fence(name="job"), runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
