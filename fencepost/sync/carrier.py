"""Greenlets that carry one task after another: to make one costs ten times as much as to use it again."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from greenlet import GreenletExit, getcurrent, greenlet

from fencepost.sync.world import ambient

__all__ = ["Carriers", "Errand", "keeping_carriers"]

Errand = Callable[[], greenlet | None]
"""Runs a task; returns who gets the turn then, or None when its carrier shall end."""


class Carrier(greenlet):
    """Runs an errand whenever it is switched to with one."""

    errand: Errand

    def __init__(self, idle: list[Carrier]) -> None:
        super().__init__()
        self._idle = idle

    def run(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as greenlet's manual has it
        """Wait for an errand, run it, give the turn on, and so forth."""
        assert self.parent is not None
        successor: greenlet | None = self.parent
        while successor is not None:
            self._idle.append(self)
            successor.switch()
            successor = self._run_errand()

    def _run_errand(self) -> greenlet | None:
        # Not kept: who waits for the next errand must not keep what belongs to the last.
        errand = self.errand
        del self.errand
        return errand()


class Carriers:
    """The carriers of one world at a time, in one thread.

    A greenlet begins as deep in the interpreter's stack as whoever starts it. So they are started from `_ground`, which
    stands where this object was made.
    """

    def __init__(self) -> None:
        self._idle: list[Carrier] = []
        self._ground = greenlet(self._start)
        self._ground.switch(getcurrent())

    def take(self, errand: Errand, home: greenlet) -> greenlet:
        """Return a greenlet that runs `errand` when it is switched to, with context variables of its own.

        `home` gets the turn when it ends, or what the errand raises.
        """
        if not self._idle:
            self._ground.switch(getcurrent())
        carrier = self._idle.pop()
        carrier.errand = errand
        carrier.parent = home
        carrier.gr_context = None
        return carrier

    def close(self) -> None:
        """End those without an errand. None can be taken any more."""
        for waiting in (*self._idle, self._ground):
            waiting.parent = getcurrent()
            waiting.throw(GreenletExit)
        self._idle.clear()

    def _start(self, asker: greenlet) -> None:
        while True:
            asker = asker.switch()
            Carrier(self._idle).switch()


@contextmanager
def keeping_carriers() -> Generator[None, None, None]:
    """Lend the same carriers to all worlds that this thread enters in the body, one after the other."""
    outer, ambient.carriers = ambient.carriers, Carriers()
    carriers = ambient.carriers
    try:
        yield
    finally:
        ambient.carriers = outer
        carriers.close()
