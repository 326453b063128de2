"""What is written into control files, read as the kernel reads it.

Whitespace around does not count. Numbers may be decimal, octal (`010`) or hexadecimal (`0xa`), with a plus, and with a
minus where the file takes negative ones; nothing else is a number. (kernel: kstrtoull, kstrtoll)
"""

from __future__ import annotations

import errno
import re
from typing import Final

__all__ = ["Refusal", "integer", "number"]

_DIGITS: Final = "0[xX](?P<hex>[0-9a-fA-F]+)|(?P<octal>0[0-7]*)|(?P<decimal>[1-9][0-9]*)"
_NUMBER: Final = re.compile(rf"(?P<sign>[+-]?)(?:{_DIGITS})")
_U64_MAX: Final = 2**64 - 1
_S64_MIN: Final = -(2**63)
_S64_MAX: Final = 2**63 - 1


class Refusal(Exception):  # noqa: N818 - an answer; the file that was written to makes an OSError of it
    """Raised when what was written is refused.

    Args:
        errno: why, as a positive number.
        expected: what would have been right.
    """

    def __init__(self, errno: int, expected: str) -> None:
        super().__init__(errno, expected)
        self.errno = errno
        self.expected = expected


def number(text: str, low: int, high: int, *, outside: int = errno.ERANGE) -> int:
    """Read a number from `low` to `high`.

    Raises:
        Refusal: EINVAL for what is none, ERANGE for one of more than 64 bits, `outside` for one out of the range.
    """
    expected = f"{low} to {high}"
    value = integer(text, expected, signed=low < 0)
    if not low <= value <= high:
        raise Refusal(outside, expected)
    return value


def integer(text: str, expected: str, *, signed: bool = False) -> int:
    """Read a number. Raises Refusal: EINVAL for what is none, ERANGE for one of more than 64 bits."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None or (match["sign"] == "-" and not signed):
        raise Refusal(errno.EINVAL, expected)
    value = -_magnitude(match) if match["sign"] == "-" else _magnitude(match)
    low, high = (_S64_MIN, _S64_MAX) if signed else (0, _U64_MAX)
    if not low <= value <= high:
        raise Refusal(errno.ERANGE, expected)
    return value


def _magnitude(match: re.Match[str]) -> int:
    if match["hex"]:
        return int(match["hex"], 16)
    if match["octal"]:
        return int(match["octal"], 8)
    # So many digits are more than 64 bits, and Python refuses to convert some thousands.
    return int(match["decimal"][:21])
