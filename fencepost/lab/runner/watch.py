"""The main task's watch over the clients: when they end, when they are to end, and how far they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from fencepost.sync import NS_PER_S, Gate, NativeWorld, Waiter, current

__all__ = ["Stop", "StopFlag", "Watch"]

LOOK_EVERY_NS: Final = NS_PER_S // 10
"""How often the main task looks up, in wall-clock time."""


class StopFlag(Protocol):
    """Says whether a run is to end early. `threading.Event` is one, and so is `Stop`."""

    def is_set(self) -> bool:
        """Say so. Asked often, by any task; never blocks."""
        ...


class Stop:
    """Asks a run to end early.

    Life cycle: *unset* -> *set*, for good. Any thread may set it, also from a signal handler: it takes no lock.
    """

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        """Ask."""
        self._set = True

    def is_set(self) -> bool:
        """Say whether somebody asked."""
        return self._set


class Watch:
    """Keeps the main task asleep until there is something for it to do.

    In a virtual world the main task sleeps without a limit, which would keep the clock moving and a deadlock from being
    seen; the clients wake it, which run in the same thread. In the native world it looks up by itself, since clients
    that hang wake nobody.

    `_lock` protects the two counts; a leaf.

    Args:
        foreground, background: how many clients there are.
        stop: the wish of the outside to end early, or None.

    Attributes:
        over: opens when all clients are to end now.
        alone: opens when the clients in the background are to end: no other is left, or all are to end.
    """

    def __init__(self, foreground: int, background: int, stop: StopFlag | None) -> None:
        world = current()
        self.over = Gate("the end of the run")
        self.alone = Gate("the end of the clients in the foreground")
        self._world = world
        self._stop = stop
        self._lock = world.lock()
        self._foreground = foreground
        self._background = background
        self._wall_ns: Callable[[], int] = NativeWorld().now_ns
        self._look_ns = self._wall_ns() + LOOK_EVERY_NS
        self._sleeper: Waiter | None = None

    # By the clients.

    def look(self) -> None:
        """Notice a wish to end early. Called at each step."""
        if self._stop is not None and self._stop.is_set():
            self.end_all()

    def cycle_done(self) -> None:
        """Let the main task look up, if it has not for a while."""
        # Read without a lock: the worst that a stale time does is to wake the main task once too often.
        if self._wall_ns() >= self._look_ns:
            self._wake()

    def client_done(self, *, background: bool) -> None:
        """Note that a client has ended."""
        with self._lock:
            if background:
                self._background -= 1
            else:
                self._foreground -= 1
            left = self._foreground
        if left == 0:
            self.alone.open()
        self._wake()

    def end_all(self) -> None:
        """Ask all clients to end. Any task; idempotent."""
        self.over.open()
        self.alone.open()
        self._wake()

    def _wake(self) -> None:
        sleeper = self._sleeper
        if sleeper is not None:
            sleeper.wake()

    # By the main task.

    def attend(self, report: Callable[[], object]) -> bool:
        """Block until all clients have ended or are to end at once; True when all have ended.

        Args:
            report: called from time to time, at most about ten times a second of wall-clock time.

        Raises:
            Deadlock: in a virtual world, when nothing can run any more.
        """
        while not self._settled():
            if self._wall_ns() >= self._look_ns:
                self._look_ns = self._wall_ns() + LOOK_EVERY_NS
                report()
            # In this order, so that whoever changes something after the question finds this waiter.
            sleeper = self._sleeper = self._world.waiter()
            if not self._settled():
                sleeper.wait(self._next_look_ns(), "the clients")
        return self._ended()

    def _settled(self) -> bool:
        if self._ended():
            return True
        self.look()
        return self.over.is_open or bool(self._world.failures)

    def _ended(self) -> bool:
        with self._lock:
            return self._foreground == self._background == 0

    def _next_look_ns(self) -> int | None:
        return self._world.now_ns() + LOOK_EVERY_NS if self._world.name == "native" else None
