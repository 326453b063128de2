"""Waiting for points of syncobjs: any or all of them, submitted yet or not."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

from fencepost.fences.syncobj_arguments import check_flags
from fencepost.fences.syncobj_flags import WaitFlags
from fencepost.sync.world import current, now_ns

if TYPE_CHECKING:
    # They import this module; only the type checkers need the way back.
    from fencepost.fences.fence import Fence
    from fencepost.fences.interrupt import Interrupt
    from fencepost.fences.syncobj import Syncobj
    from fencepost.sync.primitives import Waiter

__all__ = ["PointWait", "wait_points"]

ALL_FLAGS: Final = WaitFlags.ALL | WaitFlags.FOR_SUBMIT | WaitFlags.AVAILABLE | WaitFlags.DEADLINE


def wait_points(
    wanted: Sequence[tuple[Syncobj, int]],
    flags: int = 0,
    when_ns: int | None = None,
    *,
    deadline_ns: int = 0,
    interrupt: Interrupt | None = None,
) -> int | None:
    """Block until any of these points is complete, or what else the flags ask for. Point 0 is all there is.

    A fence that was found is what this wait is for: whatever becomes of the syncobj then does not matter. Nor does an
    error of a fence. The end is a point in time, so that an interrupted wait that is begun again is no longer.

    Args:
        wanted: syncobjs and points.
        flags: see `WaitFlags`.
        when_ns: when to give up, on the world's clock; what is past, or negative, only looks. None never.
        deadline_ns: with DEADLINE, what the fences are told.
        interrupt: ends it.

    Returns:
        The lowest index of what is complete. With ALL: of what was so at the beginning, or None. None for no points.

    Raises:
        OSError: EINVAL for other flags, or a point that was not submitted, with neither FOR_SUBMIT nor AVAILABLE;
            ETIME when it was given up; EINTR when interrupted.
        WrongContext: from a context that may not block, when it would have to.
    """
    check_flags(flags, ALL_FLAGS)
    return PointWait(wanted, flags).run(when_ns, deadline_ns=deadline_ns, interrupt=interrupt)


class PointWait:
    """One wait, made and run by one task.

    `_lock` protects what others tell it: what was found, how many are still to be done, and the sleep to be ended; a
    leaf.

    Attributes:
        fences: what was found, for good; None where nothing was so far.
    """

    def __init__(self, wanted: Sequence[tuple[Syncobj, int]], flags: int) -> None:
        self._wanted = wanted
        self._flags = WaitFlags(flags)
        self.fences = [syncobj.find(point) for syncobj, point in wanted]
        self._lock = current().lock()
        self._found: list[tuple[int, Fence]] = []
        self._to_do = len(wanted) if WaitFlags.ALL in self._flags else 1
        self._waiter: Waiter | None = None

    # The task that waits.

    def run(self, when_ns: int | None, *, deadline_ns: int = 0, interrupt: Interrupt | None = None) -> int | None:
        """Block until it is over. See `wait_points`."""
        if None in self.fences and not self._flags & (WaitFlags.FOR_SUBMIT | WaitFlags.AVAILABLE):
            syncobj, point = self._wanted[self.fences.index(None)]
            raise syncobj.missing(point)
        done = [index for index, fence in enumerate(self.fences) if self._is_done(fence)]
        first = done[0] if done else None
        if len(done) == len(self._wanted) or (done and WaitFlags.ALL not in self._flags):
            return first
        with ExitStack() as registered:
            self._register(registered, deadline_ns)
            self._sleep(registered, when_ns, interrupt)
        if WaitFlags.ALL in self._flags:
            return first
        return next(index for index, fence in enumerate(self.fences) if self._is_done(fence))

    def _is_done(self, fence: Fence | None) -> bool:
        return fence is not None and (WaitFlags.AVAILABLE in self._flags or fence.signaled)

    def _register(self, registered: ExitStack, deadline_ns: int) -> None:
        for index, fence in enumerate(self.fences):
            if fence is None:
                self.seek(index, registered)
        there = [fence for fence in self.fences if fence is not None]
        if WaitFlags.DEADLINE in self._flags:
            for fence in there:
                fence.set_deadline(deadline_ns)
        for fence in there:
            self._arm(fence, registered)

    def seek(self, index: int, registered: ExitStack) -> None:
        """Take what is to be found at a point, or hear of it once it is there."""
        syncobj, point = self._wanted[index]
        found = partial(self._note_found, index)
        self.fences[index] = syncobj.seek(point, found)
        registered.callback(syncobj.forget, point, found)

    def _arm(self, fence: Fence, registered: ExitStack) -> None:
        """Count a fence that was found as done, now or when it signals."""
        if WaitFlags.AVAILABLE not in self._flags and fence.add_callback(self._note_done):
            # One that is being called now does no harm.
            registered.callback(fence.remove_callback, self._note_done, wait=False)
        else:
            self._note_done(fence)

    def _sleep(self, registered: ExitStack, when_ns: int | None, interrupt: Interrupt | None) -> None:
        if interrupt is not None:
            interrupt.add(self._wake)
            registered.callback(interrupt.remove, self._wake)
        expired = when_ns is not None and when_ns <= now_ns()
        while (waiter := self._next_sleep(registered)) is not None:
            if expired:
                raise OSError(errno.ETIME, f"the time is up for {self}")
            if interrupt is not None and interrupt.pending:
                raise OSError(errno.EINTR, f"{interrupt!r} ended the wait for {self}")
            expired = not waiter.wait(when_ns, self)

    def _next_sleep(self, registered: ExitStack) -> Waiter | None:
        """Look after all that was found meanwhile; return how to sleep, or None when it is over."""
        while True:
            with self._lock:
                found, self._found = self._found, []
                if not found:
                    self._waiter = None if self._to_do <= 0 else current().waiter()
                    return self._waiter
            for index, fence in found:
                self.fences[index] = fence
                self._arm(fence, registered)

    # Others. Any context.

    def _note_found(self, index: int, fence: Fence) -> None:
        with self._lock:
            self._found.append((index, fence))
        self._wake()

    def _note_done(self, _fence: Fence) -> None:
        with self._lock:
            self._to_do -= 1
            over = self._to_do == 0
        if over:
            self._wake()

    def _wake(self) -> None:
        with self._lock:
            waiter = self._waiter
        if waiter is not None:
            waiter.wake()

    def __str__(self) -> str:
        which = "all" if WaitFlags.ALL in self._flags else "any"
        syncobj, point = self._wanted[0]
        return f"{which} of {len(self._wanted)} points, first point {point} of {syncobj!r}"
