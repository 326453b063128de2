"""Hardware fences on their way to their signal."""

from __future__ import annotations

from collections import deque

from fencepost.hw.agx.submission import Submission
from fencepost.sync import World
from fencepost.sync.tracking import tracked

__all__ = ["Completions"]


@tracked("_signalling")
class Completions:
    """Signals the fences of jobs that have ended in the order in which they ended, whoever comes by.

    One task signals at a time, or a later fence could overtake an earlier one; what comes meanwhile is signalled by
    the same task.

    `_lock` protects the queue and the turn; a leaf.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = world.lock()
        self._ended: deque[Submission] = deque()
        self._signalling = False

    def add(self, submission: Submission) -> None:
        """Take a job that has ended. Under the driver's lock, which orders them."""
        with self._lock:
            self._ended.append(submission)

    def signal(self) -> None:
        """Signal what there is, or leave it to the task that is doing so. No lock may be held."""
        with self._lock:
            if self._signalling:
                return
            self._signalling = True
        while (submission := self._take()) is not None:
            try:
                submission.signal()
            except Exception as error:  # noqa: BLE001 - a callback's; the other fences signal all the same
                self._world.failures.append(error)

    def _take(self) -> Submission | None:
        """Take the next; nothing means that the turn is given up."""
        with self._lock:
            if self._ended:
                return self._ended.popleft()
            self._signalling = False
            return None
