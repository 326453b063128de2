"""The two-actor kernel on interleave-test: stock pykka on real threads, of which one runs at a time.

Its points are then the steps of locks, conditions and queues, as ours are; left to itself it would also switch between
the instructions of the model, and be slower. Needs Python 3.12 or newer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

import interleave_test  # type: ignore[import-not-found] # pyright: ignore[reportMissingImports]
import pykka

__all__ = ["schedules_per_s"]

SCHEDULES: Final = 100

NOTHING: Final = ["/nowhere"]
"""The files in which each instruction is a point."""


class Doer(pykka.ThreadingActor):
    """Calls what it is sent."""

    def on_receive(self, message: Callable[[], object]) -> None:
        message()


class Fence:
    """Enough of a fence for the kernel: an event and a callback."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self._signaled = threading.Event()
        self._callback = callback
        self.wait = self._signaled.wait

    def signal(self) -> None:
        """Call the callback and let everybody go on."""
        self._callback()
        self._signaled.set()


def two_actors() -> None:
    """As `bench.explore.two_actors`."""
    signaller, counter = Doer.start(), Doer.start()
    done: list[int] = []
    fences = [Fence(partial(counter.tell, partial(done.append, number))) for number in range(3)]
    for fence in fences:
        signaller.tell(fence.signal)
    for fence in fences:
        fence.wait()
    for actor in (signaller, counter):
        actor.stop()


def schedules_per_s() -> float:
    """Return how many schedules it runs in a second."""
    start = time.perf_counter()
    cast("Any", interleave_test).explore(two_actors, iterations=SCHEDULES, seed=1, include=NOTHING)
    return SCHEDULES / (time.perf_counter() - start)
