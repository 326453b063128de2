"""A user fence: a number in memory that somebody writes when something is complete, and that others look at.

Nobody answers for it: whether it is ever written is a program's own affair. So it is no `Fence`, and no fence may
depend on it; the other way round is legal, see `UserFence.write_after`. (What Xe and others call a user or memory
fence.)
"""

from __future__ import annotations

import ctypes
import enum
import errno
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from fencepost.sync.wait_queue import WaitQueue
from fencepost.sync.world import current, deadline_ns

if TYPE_CHECKING:
    from fencepost.fences.fence import Fence

__all__ = ["Compare", "UserFence"]

SIZE: Final = 8
LIMIT: Final = 1 << 64
ALL_BITS: Final = LIMIT - 1


class Compare(enum.Enum):
    """How the value is compared with the one that is wanted, both without sign."""

    EQ = "=="
    NEQ = "!="
    GT = ">"
    GTE = ">="
    LT = "<"
    LTE = "<="


FUNCTIONS: Final[Mapping[Compare, Callable[[int, int], bool]]] = MappingProxyType(
    {
        Compare.EQ: operator.eq,
        Compare.NEQ: operator.ne,
        Compare.GT: operator.gt,
        Compare.GTE: operator.ge,
        Compare.LT: operator.lt,
        Compare.LTE: operator.le,
    }
)


class UserFence:
    """64 bits in memory, and those who wait until they compare as wanted.

    Who waits registers first and looks afterwards, and who writes writes first and wakes afterwards; so no wake-up is
    lost. `_lock` protects the value and `_failed`; a leaf.

    Args:
        memory: where the value is, such as a bytearray or a shared mapping; None takes memory of its own, of value 0.
        offset: its place in there, in bytes.
        name: what reports call it.

    Raises OSError EINVAL where `memory` does not have 8 bytes there to be written, or they are not aligned.
    """

    def __init__(self, memory: Any = None, offset: int = 0, *, name: str = "user fence") -> None:  # noqa: ANN401 - any buffer
        self.name = name
        self._cell = cell_at(bytearray(SIZE) if memory is None else memory, offset, name)
        self._lock = current().lock()
        self._changed = WaitQueue(f"the writing of {name}")
        self._failed = False

    @property
    def value(self) -> int:
        """What it says now. Any context."""
        # Without the lock: 8 aligned bytes are read in one step, so what `write` puts there is seen whole or not yet.
        return self._cell.value

    def write(self, value: int) -> None:
        """Write `value` and wake those who wait. Never blocks; any context.

        Raises OSError EINVAL for what is no number of 64 bits.
        """
        self._check(value, "value")
        with self._lock:
            self._cell.value = value
        self._changed.wake_all()

    def add(self, steps: int = 1) -> int:
        """Add `steps`, which may be negative, in one step, and return the new value; it wraps round. As `write`."""
        with self._lock:
            self._cell.value = value = (self._cell.value + steps) % LIMIT
        self._changed.wake_all()
        return value

    def write_after(self, fence: Fence, value: int) -> None:
        """Write `value` once `fence` has signalled, with an error or without. Any context; raises as `write`."""
        self._check(value, "value")
        if not fence.add_callback(lambda _fence: self.write(value)):
            self.write(value)

    def wake(self) -> None:
        """Have those who wait look again, when the memory was written in another way. Never blocks; any context."""
        self._changed.wake_all()

    def fail(self) -> None:
        """End all waits, now and later, that have not what they want: who should write is gone. As `wake`."""
        with self._lock:
            self._failed = True
        self._changed.wake_all()

    def wait(self, how: Compare, value: int, mask: int = ALL_BITS, timeout_s: float | None = None) -> bool:
        """Block until it compares so with `value`, in the bits of `mask`.

        Returns:
            True when it did, False when `timeout_s` ran out first (0 only looks).

        Raises:
            OSError: EINVAL for an unknown comparison, numbers that are not of 64 bits, or a negative time-out; EIO when
                it does not, and `fail` was called.
            WrongContext: from a context that may not block, when it would have to.
        """
        self._check_wanted(how, value, mask)
        if timeout_s is not None and not timeout_s >= 0:
            raise OSError(errno.EINVAL, f"{self!r} is waited for with a time-out of {timeout_s} s, expected 0 or more")
        when_ns = deadline_ns(timeout_s)
        if self._is_so(how, value, mask):
            return True
        expired = timeout_s == 0
        while not expired:
            waiter = current().waiter()
            self._changed.add(waiter.wake)
            try:
                if self._is_so(how, value, mask):
                    return True
                expired = not waiter.wait(when_ns, self)
            finally:
                self._changed.remove(waiter.wake)
        return self._is_so(how, value, mask)

    def _is_so(self, how: Compare, value: int, mask: int) -> bool:
        """Look once; raises OSError EIO where it is not so and will not be."""
        with self._lock:
            found, failed = self._cell.value, self._failed
        if FUNCTIONS[how](found & mask, value & mask):
            return True
        if failed:
            raise OSError(errno.EIO, f"{self!r} will not be written any more: who should have is gone")
        return False

    def _check_wanted(self, how: Compare, value: int, mask: int) -> None:
        if not isinstance(how, Compare):  # pyright: ignore[reportUnnecessaryIsInstance] - what is not type-checked
            raise OSError(errno.EINVAL, f"{self!r} is compared by {how!r}, expected one of Compare")
        self._check(value, "value")
        self._check(mask, "mask")

    def _check(self, number: int, what: str) -> None:
        if not 0 <= number < LIMIT:
            raise OSError(errno.EINVAL, f"a {what} of {number} for {self.name}, expected 0 to 2**64 - 1")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def cell_at(memory: Any, offset: int, name: str) -> ctypes.c_uint64:  # noqa: ANN401 - any buffer
    """Return the 64 bits at a place in memory."""
    try:
        cell = ctypes.c_uint64.from_buffer(memory, offset)
    except (TypeError, ValueError) as error:
        said = f"{name} cannot be at offset {offset} of {type(memory).__name__}: {error}"
        raise OSError(errno.EINVAL, said) from error
    if ctypes.addressof(cell) % SIZE:
        raise OSError(errno.EINVAL, f"{name} is at an address that is no multiple of {SIZE}")
    return cell
