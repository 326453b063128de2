"""What observers know of a fence as long as it is pending.

It lies in the fence itself, where its stamp will be (see `fencepost.sync.tracking`): so nothing keeps a fence alive
that nobody else does, the signal finds it without looking, and what was known goes with the fence.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING

from fencepost.actors.job import FinishedFence, ScheduledFence
from fencepost.checks.poison import Deed
from fencepost.fences.fence import PENDING, Fence
from fencepost.sync.tracking import STAMP

if TYPE_CHECKING:
    from fencepost.checks.observers import TaskWatch
    from fencepost.sync.observer import Stamp

__all__ = ["Pending", "PendingFences", "is_pending", "known_of"]


class Pending:
    """What is known of one fence.

    Stands in for the stamp of the fence: who unpacks it gets the moment at which it was made.

    Attributes:
        name: of the fence.
        by, after, on: of its `Promise`.
        published: who put it where others find it, and where; None while nobody has.
        turn: of all that was published or waited for, the number of that.
        since_ns: when its time began to run; None while it does not.
        limit_s: for how long it may.
        kept: it has signalled, or was reported never to.
    """

    __slots__ = (
        "__weakref__",
        "_gone",
        "_stamp",
        "after",
        "by",
        "kept",
        "limit_s",
        "name",
        "on",
        "published",
        "since_ns",
        "turn",
    )

    def __init__(self, fence: Fence, watch: TaskWatch, gone: Callable[[Pending], object]) -> None:
        self._gone = gone
        self._stamp = watch, watch.release()
        self.by, self.on = maker_of(fence)
        self.after: tuple[object, ...] = ()
        self.published: Deed | None = None
        self.turn = 0
        self.since_ns: int | None = None
        self.limit_s = 0.0
        self.kept = False
        self.name = repr(fence)

    def __iter__(self) -> Iterator[TaskWatch | Stamp]:
        return iter(self._stamp)

    def __del__(self) -> None:
        self._gone(self)


class PendingFences:
    """All fences of one world of which something is known.

    Args:
        gone: called with what was known of a fence when there is no such fence any more, by whoever happens to collect
            it: any context.
    """

    def __init__(self, gone: Callable[[Pending], object]) -> None:
        # By identity, and weakly: it must be the fence that keeps what is known of it. Each use is one operation.
        self._known: dict[int, weakref.ref[Pending]] = {}
        self._gone = gone

    def __iter__(self) -> Iterator[Pending]:
        for known in list(self._known.values()):
            pending = known()
            if pending is not None and not pending.kept:
                yield pending

    def of(self, watch: TaskWatch, fence: Fence, *, locked: bool = False) -> Pending | None:
        """Return what is known of a fence, from now on; None when it has signalled.

        Args:
            watch: of the task that asks.
            fence: which.
            locked: whether that task holds the fence's lock.
        """
        new = None if known_of(fence) is not None else Pending(fence, watch, self._forget)
        # Under the fence's lock, since a signal must not come between the look and the store; and past the observed
        # lock, since nobody who is observed takes it here. Tasks that take turns need none.
        lock = fence._lock  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        lock = getattr(lock, "inner", lock)
        if locked or watch.world.name != "native":
            return self._of_locked(fence, new)
        with lock:
            return self._of_locked(fence, new)

    def _of_locked(self, fence: Fence, new: Pending | None) -> Pending | None:
        if not is_pending(fence):
            return None
        known = known_of(fence)
        if known is None and new is not None:
            known = new
            setattr(fence, STAMP, new)
            self._known[id(new)] = weakref.ref(new)
        return known

    def _forget(self, pending: Pending) -> None:
        if self._known.pop(id(pending), None) is not None:
            self._gone(pending)


def known_of(fence: object) -> Pending | None:
    """Return what is known of what might be a fence; None when nothing is, or it has signalled."""
    known = getattr(fence, STAMP, None)
    return known if isinstance(known, Pending) else None


def is_pending(fence: Fence) -> bool:
    """Say whether a fence has not signalled, and do not bring it about by asking."""
    return fence._state == PENDING  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def maker_of(fence: Fence) -> tuple[str, Hashable]:
    """Return who will signal a fence, and on what hardware its work runs, where its class tells."""
    if isinstance(fence, ScheduledFence) and fence.finished is not None:
        fence = fence.finished
    name = fence.scheduler.name if isinstance(fence, FinishedFence) else ""
    return name, name or None
