"""What must not happen at some point or other of a schedule: the garbage collector's finalisers.

A fence that nobody keeps calls its callbacks when it goes, which are steps. Where only the collector can find it, that
would come at a step that has nothing to do with it. So while an exploration lasts the collector rests and is called
between schedules. This concerns the whole process, for want of anything smaller, and is put back at the end.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

__all__ = ["Steady", "steady"]

RUNS_BETWEEN: Final = 50


class Steady:
    """Collects between schedules."""

    def __init__(self) -> None:
        self._runs = 0

    def between(self, *, now: bool) -> None:
        """Collect now, or at every so manieth call."""
        self._runs += 1
        if now or self._runs % RUNS_BETWEEN == 0:
            collect()


def collect() -> None:
    """Collect, and tell nobody.

    A signal that comes meanwhile is handled by the first Python code after it. If that is a callback of the collector
    (Hypothesis has one), what the signal raises is dropped there, and a test that has had its time goes on for ever.
    """
    callbacks, gc.callbacks[:] = gc.callbacks[:], []
    try:
        gc.collect()
    finally:
        gc.callbacks[:] = callbacks


@contextmanager
def steady() -> Generator[Steady, None, None]:
    """Keep the collector from coming by itself throughout the body."""
    was_on = gc.isenabled()
    # What is there already need not be looked at each time.
    freeze = gc.get_freeze_count() == 0
    gc.disable()
    if freeze:
        gc.freeze()
    try:
        with warnings.catch_warnings():
            # Fences that were pending when a schedule went wrong have said so in the report.
            warnings.filterwarnings("ignore", message=".* was dropped with", category=RuntimeWarning)
            yield Steady()
            collect()
    finally:
        if freeze:
            gc.unfreeze()
        if was_on:
            gc.enable()
