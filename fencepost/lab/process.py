"""What belongs to the whole process, and so to the command line alone: Ctrl-C and the interpreter's switch interval."""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Literal, Self

__all__ = ["SWITCH_INTERVAL_S", "CtrlC", "short_switch_interval"]

SWITCH_INTERVAL_S: Final = 1e-4
"""At Python's own 5 ms, clients that compute make every timer 5 to 35 ms late; at this 0.2 to 0.4 ms, for 4 to 7 % of
throughput (measured)."""


class CtrlC:
    """Lets the first Ctrl-C end a run with the results so far. The second one does what it always did.

    A stop flag for `runner.run`, set by SIGINT.

    Life cycle: *new* -> *entered* (by `with`, main thread only) -> *left*, when SIGINT is handled as before.
    """

    def __init__(self) -> None:
        self._pressed = False

    def is_set(self) -> bool:
        """Say whether the run is to end. Any context; never blocks."""
        return self._pressed

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *_raised: object) -> Literal[False]:
        signal.signal(signal.SIGINT, self._before)
        return False

    def _press(self, _signal: int, _frame: FrameType | None) -> None:
        self._pressed = True
        signal.signal(signal.SIGINT, self._before)


@contextmanager
def short_switch_interval() -> Generator[None]:
    """Make threads take turns more often than Python lets them, so that a native run's timers are on time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
