"""A preemption fence: the promise that work is off the hardware, not that it is complete.

What long-running work gives to the reservations of its memory in place of a completion fence. Nothing happens until
somebody waits for it; that starts the preemption. So it may be pending for days, and its time runs from then on.
(kernel: xe_preempt_fence)
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass

from fencepost.fences.hooked import HookedFence
from fencepost.sync.allocation import Allocation, might_alloc
from fencepost.sync.observer import listening

__all__ = ["PreemptFence", "Preempting"]


class PreemptFence(HookedFence):
    """Signals once its context is off the hardware, which begins when somebody waits for it.

    Life cycle: *armed* -> *preempting* (somebody waits, and `begin` was called) -> *signalled*, by whoever has taken
    the context off the hardware, in a signalling section. It costs memory, so it must be made before the section in
    which it is published.

    Args:
        begin: starts the suspension; called with the fence, at most once, holding its lock: it posts and nothing else.
            False says that the context is gone: the fence signals at once, with -ENOENT.
        context, seqno, name: as of a `Fence`.
    """

    __slots__ = ("_begin",)

    def __init__(
        self,
        begin: Callable[[PreemptFence], bool],
        context: int | None = None,
        seqno: int = 0,
        name: str = "preemption",
    ) -> None:
        might_alloc(Allocation.KERNEL)
        super().__init__(context, seqno, name)
        self._begin = begin

    def on_enable(self) -> bool:
        if not self._begin(self):
            self.set_error_locked(-errno.ENOENT)
            return False
        watch = listening()
        if watch is not None:
            watch.hear(Preempting(self))
        return True


@dataclass(frozen=True, slots=True)
class Preempting:
    """A preemption begins; the lock of its fence is held."""

    fence: PreemptFence
