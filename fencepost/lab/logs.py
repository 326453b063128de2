"""Where log lines go: set up by the command line only, since a library leaves that to the program it is a guest of."""

from __future__ import annotations

import logging
import sys
from enum import StrEnum
from typing import Final

import structlog
from structlog.types import Processor

__all__ = ["LogLevel", "set_up_logs"]


class LogLevel(StrEnum):
    """How much is logged, from everything to almost nothing."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_FOR_PEOPLE: Final[list[Processor]] = [structlog.dev.ConsoleRenderer()]
_FOR_PROGRAMS: Final[list[Processor]] = [
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(sort_keys=True, default=str),
]


def set_up_logs(level: LogLevel = LogLevel.WARNING) -> None:
    """Send log lines of this level and above to standard error: for people on a terminal, else as lines of JSON."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *(_FOR_PEOPLE if sys.stderr.isatty() else _FOR_PROGRAMS),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.name]),
        logger_factory=_stderr_logger,
    )


def _stderr_logger(*_names: object) -> structlog.WriteLogger:
    """Return a logger to standard error as it is when the first line is written, not as it is now."""
    return structlog.WriteLogger(sys.stderr)
