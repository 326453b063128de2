"""One engine of the GPU: bookkeeping of hardware time, without locks, timers or a world."""

from __future__ import annotations

import enum
from collections import Counter

from fencepost.hw.agx.command import Command
from fencepost.hw.agx.work_queue import WorkQueue

__all__ = ["Happening", "Pipe"]


class Happening(enum.IntEnum):
    """What can happen on an engine; of two at the same time, the lower one first."""

    END = 0
    TIMEOUT = 1


class Pipe:
    """Executes one command at a time, each to its end, chosen among the work queues of its kind.

    The most important work queue is served, among equals the one that waits longest.

    Args:
        name: what events and reports call it.
        timeout_ns: how long a command may take before the firmware halts everything; None is for ever.

    Attributes:
        current: the command it has, or None.
        start_ns: when that last began to execute; None while it stands still.
        completed: how many commands came to their end.
    """

    def __init__(self, name: str, timeout_ns: int | None) -> None:
        self.name = name
        self.timeout_ns = timeout_ns
        self.current: Command | None = None
        self.start_ns: int | None = None
        self.completed = 0
        self._waiting: list[WorkQueue] = []
        self._busy_ns: Counter[str] = Counter()

    def enter(self, queue: WorkQueue) -> None:
        """Let a work queue wait, behind its equals, if it has something that is not being executed."""
        current = self.current
        running = current is not None and current.queue is queue
        if queue.waiting and not running and queue not in self._waiting:
            self._waiting.append(queue)

    def take(self) -> WorkQueue | None:
        """Take the work queue to serve next; None when all that wait must wait for another engine."""
        ready = [queue for queue in self._waiting if (after := queue.head.after) is None or after.done]
        if not ready:
            return None
        queue = min(ready, key=lambda queue: queue.priority)
        self._waiting.remove(queue)
        return queue

    def begin(self, command: Command, now_ns: int) -> None:
        """Execute a command from its beginning."""
        self.current = command
        self.start_ns = command.start_ns = now_ns

    def due(self) -> tuple[int, Happening] | None:
        """Return when something happens, and what; None for never."""
        if self.current is None or self.start_ns is None:
            return None
        lengths = (self.current.left_ns, self.timeout_ns)
        return min(
            ((self.start_ns + ns, what) for ns, what in zip(lengths, Happening, strict=True) if ns is not None),
            default=None,
        )

    def stop(self, now_ns: int) -> int | None:
        """Let the current command stand still; return when the stretch began that ends now, None if none did."""
        start_ns, self.start_ns = self.start_ns, None
        if self.current is not None and start_ns is not None:
            self._busy_ns[self.current.submission.client] += now_ns - start_ns
        return start_ns

    def busy_ns(self, now_ns: int) -> dict[str, int]:
        """Return how long it has executed for each client, up to now."""
        busy_ns = self._busy_ns.copy()
        if self.current is not None and self.start_ns is not None:
            busy_ns[self.current.submission.client] += now_ns - self.start_ns
        return dict(busy_ns)
