"""What a call on syncobjs may be given, and how it says no: OSError EINVAL, with the names of call and handles."""

from __future__ import annotations

import errno
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final

__all__ = ["MAX_POINT", "check_flags", "check_pad", "check_point", "check_points", "naming", "signed"]

BITS_64: Final = 1 << 64
MAX_POINT: Final = BITS_64 - 1
MOST_NAMED: Final = 4


def check_flags(flags: int, allowed: int) -> None:
    """Refuse flags that are not among those allowed."""
    # As a number: the complement of an `IntFlag` knows only its own bits.
    if flags & ~int(allowed):
        raise OSError(errno.EINVAL, f"flags {flags:#x}, expected none but those in {int(allowed):#x}")


def check_pad(pad: int) -> None:
    """Refuse anything but 0 where nothing is expected."""
    if pad:
        raise OSError(errno.EINVAL, f"pad {pad:#x}, expected 0")


def check_point(point: int) -> None:
    """Refuse a point that is no number of 64 bits."""
    if not 0 <= point <= MAX_POINT:
        raise OSError(errno.EINVAL, f"point {point}, expected 0 to {MAX_POINT}")


def check_points(points: Sequence[int], count: int) -> None:
    """Refuse points that are not `count` numbers of 64 bits."""
    if len(points) != count:
        raise OSError(errno.EINVAL, f"{len(points)} points, expected {count}")
    for point in points:
        check_point(point)


def signed(timeout_ns: int) -> int:
    """Read a number of 64 bits as the signed one that it is to the kernel."""
    if not -BITS_64 // 2 <= timeout_ns < BITS_64:
        raise OSError(errno.EINVAL, f"time-out at {timeout_ns} ns, expected a number of 64 bits")
    return timeout_ns - BITS_64 if timeout_ns >= BITS_64 // 2 else timeout_ns


@contextmanager
def naming(call: str, *handles: int) -> Generator[None]:
    """Have what is refused in the body say in which call, and for which handles."""
    try:
        yield
    except OSError as error:
        named = ", ".join(map(repr, handles[:MOST_NAMED])) or "none"
        rest = f" and {len(handles) - MOST_NAMED} more" if len(handles) > MOST_NAMED else ""
        error.strerror = f"{call}, handles {named}{rest}: {error.strerror}"
        raise
