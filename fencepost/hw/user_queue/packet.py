"""What a user writes into the ring of a queue."""

from __future__ import annotations

import errno
import math
from dataclasses import dataclass
from typing import Final

from fencepost.fences import Fence, UserFence
from fencepost.hw.guc.emission import Numbered

__all__ = ["Packet", "UserWrite"]

LIMIT: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class UserWrite:
    """A value that a packet writes to a user fence.

    Raises OSError EINVAL for what is no number of 64 bits. (A fence at an address that is not aligned cannot be made.)
    """

    fence: UserFence
    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value < LIMIT:
            raise OSError(errno.EINVAL, f"a value of {self.value} for {self.fence.name}, expected 0 to 2**64 - 1")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Packet:
    """One packet: wait, execute, then write.

    Args:
        duration_us: how long it executes; None is until it is told to end, which is what a bad packet does.
        preempt_us: it can be preempted after each so many microseconds; 0 for never, None for the device's default.
        waits: fences that must have signalled before it, and what comes after it in the ring, goes on. (A wait packet
            names the memory behind them.) Not user fences: nobody has promised these. There are no circles, since a
            fence of a user queue stands for packets that were written before.
        write: what it writes when it has executed, where any program may write.
        protected: whether it then writes its number to where only the device may, so that a kernel fence can stand for
            it.
        label: by whose numbers events call it; None is its queue and its number.

    Raises:
        ValueError: for a negative duration or distance of preemption.
    """

    duration_us: float | None = 0
    preempt_us: int | None = None
    waits: tuple[Fence, ...] = ()
    write: UserWrite | None = None
    protected: bool = False
    label: Numbered | None = None

    def __post_init__(self) -> None:
        if self.duration_us is not None and not 0 <= self.duration_us < math.inf:
            raise ValueError(f"a packet of {self.duration_us} us, expected 0 or more")
        if self.preempt_us is not None and self.preempt_us < 0:
            raise ValueError(f"a packet that can be preempted every {self.preempt_us} us, expected 0 or more")
