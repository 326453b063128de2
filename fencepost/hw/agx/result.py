"""How a command can end, as its result buffer says it."""

from __future__ import annotations

import enum
import errno
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["Result"]


class Result(enum.Enum):
    """What became of a command that did not complete."""

    TIMEOUT = "timeout"
    FAULT = "fault"
    KILLED = "killed"
    UNKNOWN = "unknown"
    NO_DEVICE = "no device"
    CHANNEL_ERROR = "channel error"

    @property
    def error(self) -> int:
        """The negative errno that its fence says."""
        return ERRORS[self]


ERRORS: Final[Mapping[Result, int]] = MappingProxyType(
    {
        Result.TIMEOUT: -errno.ETIMEDOUT,
        Result.FAULT: -errno.EIO,
        Result.KILLED: -errno.ECANCELED,
        Result.UNKNOWN: -errno.ENODATA,
        Result.NO_DEVICE: -errno.ENODEV,
        Result.CHANNEL_ERROR: -errno.EIO,
    }
)
