"""What the driver knows of a queue's context: independent bits in one word."""

from __future__ import annotations

import enum

from fencepost.sync import WaitQueue, World
from fencepost.sync.tracking import tracked

__all__ = ["DEAD", "NOTHING", "PENDING", "SURVIVORS", "Bit", "QueueState"]


class Bit(enum.Flag):
    """One fact about a queue. Some are facts of the firmware, some intentions of the driver."""

    REGISTERED = enum.auto()
    """The firmware knows the context."""
    ENABLED = enum.auto()
    """It was told to run it; set and cleared when the request is sent."""
    PENDING_ENABLE = enum.auto()
    """It has not said yet that it does."""
    PENDING_DISABLE = enum.auto()
    """It has not said yet that the context is off its engine."""
    DESTROYED = enum.auto()
    """It was, or is about to be, told to forget the context, for good."""
    SUSPENDED = enum.auto()
    """Nothing runs until it is resumed."""
    PENDING_SUSPEND = enum.auto()
    """Somebody waits until nothing runs."""
    RESET = enum.auto()
    """The firmware has reset the context, or it has faulted."""
    KILLED = enum.auto()
    """Its owner has closed it."""
    BANNED = enum.auto()
    """It hung, or did not answer."""
    WEDGED = enum.auto()
    """The device is beyond recovery."""
    CHECK_TIMEOUT = enum.auto()
    """A recovery has it disabled, to look how long its job has run."""
    EXTRA_REF = enum.auto()
    """A recovery holds a reference, to be dropped when the firmware has forgotten the context."""
    PENDING_RESUME = enum.auto()
    """A resume has enabled it, and is not answered."""
    PENDING_TDR_EXIT = enum.auto()
    """A recovery has enabled it, and is not answered."""


NOTHING = Bit(0)
"""No bit."""

PENDING = Bit.PENDING_ENABLE | Bit.PENDING_DISABLE
DEAD = Bit.KILLED | Bit.BANNED | Bit.WEDGED
SURVIVORS = Bit.SUSPENDED | Bit.PENDING_SUSPEND | Bit.DESTROYED | DEAD
"""What a reset of the device leaves as it is. It has finished the suspensions that it found; others may have begun."""


@tracked("_bits", "_generation")
class QueueState:
    """The bits of a queue. The handler of replies, its own scheduler and the recovery change them at the same time.

    The rule for whoever changes a bit that others wait for: change first, then `changed.wake_all()`.

    The word knows which registration of the context it tells of: a reply to an earlier one changes nothing.

    `_lock` protects the word; a leaf.

    Attributes:
        changed: where to wait for a change.
    """

    def __init__(self, world: World, name: str) -> None:
        self.changed = WaitQueue(f"the state of {name}")
        self._lock = world.lock()
        self._bits = NOTHING
        self._generation = 0

    @property
    def bits(self) -> Bit:
        """All bits that are set. Any context."""
        with self._lock:
            return self._bits

    def has(self, bits: Bit) -> bool:
        """Say whether any of these is set. Any context."""
        return bool(self.bits & bits)

    def change(self, *, set_: Bit = NOTHING, clear: Bit = NOTHING) -> Bit:
        """Clear and set bits in one step; returns what was set before. Any context."""
        with self._lock:
            before = self._bits
            self._bits = (before & ~clear) | set_
        return before

    def answer(self, expected: Bit, generation: int | None, *, set_: Bit = NOTHING, clear: Bit = NOTHING) -> Bit | None:
        """Change bits as a reply asks for, in one step with the look at whether it is expected. Any context.

        Args:
            expected: must all be set.
            generation: the registration that the reply is about; None does not ask.
            set_, clear: as in `change`.

        Returns:
            What was set before; None when it is not expected, and nothing was changed.
        """
        with self._lock:
            before = self._bits
            if expected & ~before or generation not in (None, self._generation):
                return None
            self._bits = (before & ~clear) | set_
        return before

    def register(self, generation: int) -> None:
        """Begin another registration. By the queue."""
        with self._lock:
            self._generation = generation
            self._bits |= Bit.REGISTERED

    def keep(self, bits: Bit) -> Bit:
        """Clear all bits but these; returns what was set before. Any context."""
        with self._lock:
            before = self._bits
            self._bits = before & bits
        return before

    @property
    def dead(self) -> bool:
        """True once nothing more may be run. Any context."""
        return self.has(DEAD)

    @property
    def reset_status(self) -> bool:
        """True once the queue is of no more use to its owner. (xe: the ban property) Any context."""
        return self.has(DEAD | Bit.RESET)

    @property
    def may_change_scheduling(self) -> bool:
        """True while the firmware can be told to run it or not. Any context."""
        bits = self.bits
        return bool(bits & Bit.REGISTERED) and not bits & DEAD

    def __repr__(self) -> str:
        return f"<{self.bits.name or 'no bits'}>"
