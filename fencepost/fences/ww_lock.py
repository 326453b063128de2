"""Locks of which a task may take any number, in any order: of two that want each other's, the younger gives way.

Wound/wait: Rosenkrantz, Stearns, Lewis, "System Level Concurrency Control for Distributed Database Systems", 1978;
the kernel's ww_mutex. Whoever means to hold several locks makes an `AcquireContext`, and the earlier it was made, the
older it is. Who finds a lock held waits, and wounds the holder if that is younger. Who is wounded is told EDEADLK by
the next lock it asks for, or by the one it waits for, and must unlock all it holds. It keeps its age while it tries
again, so it will be the oldest some day and get everything. `locked` in `fencepost.fences.locking` is that loop.

A lock goes to the oldest of those who wait, whoever came first; one without a context is as old as its wait.

These locks are held across waits by design. The alternative is one order for all locks, which nobody can keep to who
takes what a client names.
"""

from __future__ import annotations

import errno
import itertools
from bisect import insort
from operator import attrgetter
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self

from fencepost.errors import WrongState
from fencepost.sync.native import process_lock
from fencepost.sync.observer import about_to_lock, name_lock
from fencepost.sync.world import current

if TYPE_CHECKING:
    from fencepost.fences.interrupt import Interrupt
    from fencepost.sync.primitives import Waiter
    from fencepost.sync.task import Task

__all__ = ["AcquireContext", "LockWait", "WwLock"]

_stamps = itertools.count(1)

_stamping = process_lock()
"""Protects `_stamps`; a leaf."""


def next_stamp() -> int:
    """Return a higher number than ever before: whoever has it is the youngest."""
    with _stamping:
        return next(_stamps)


class AcquireContext:
    """One undertaking to hold several locks at once, by the task that makes it.

    Life cycle: *whole* <-> *wounded*; whole again once it holds nothing. At the end of a `with` it unlocks what it
    still holds. (kernel: ww_acquire_ctx)

    `_lock` protects `wounded` and the sleep to be ended, and is taken under the lock of a `WwLock`; a leaf.

    Attributes:
        stamp: its age: the lower, the older.
        task: who may use it.
        wounded: an older one waits for what it holds.
    """

    __slots__ = ("_held", "_lock", "_waiter", "stamp", "task", "wounded")

    def __init__(self) -> None:
        self.stamp = next_stamp()
        self.task = current().task()
        self.wounded = False
        self._lock = current().lock()
        self._held: dict[WwLock, None] = {}
        self._waiter: Waiter | None = None

    @property
    def held(self) -> tuple[WwLock, ...]:
        """The locks it holds, in the order in which it got them. By its task."""
        return tuple(self._held)

    def unlock_all(self) -> None:
        """Give back all it holds, the last first; it is whole then."""
        for lock in reversed(self.held):
            lock.unlock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None, /
    ) -> None:
        self.unlock_all()

    # For `WwLock`.

    def add(self, lock: WwLock) -> None:
        """Note that it got a lock."""
        self._held[lock] = None

    def remove(self, lock: WwLock) -> None:
        """Note that it gave a lock back. Who holds nothing can be reached by nobody who would wound it."""
        del self._held[lock]
        if not self._held:
            self.wounded = False

    def begin_wait(self, waiter: Waiter) -> bool:
        """Say in what its task is going to sleep; False when it must not, being wounded."""
        with self._lock:
            self._waiter = waiter
            return not self.wounded

    def wound(self) -> None:
        """Have it back off, now or when it asks for the next lock. By an older one that waits for what it holds."""
        with self._lock:
            self.wounded = True
            waiter = self._waiter
        if waiter is not None:
            waiter.wake()

    def __repr__(self) -> str:
        return f"<context {self.stamp} of {self.task.name}{', wounded' if self.wounded else ''}>"


class WwLock:
    """A lock that can be asked back from a younger holder.

    Life cycle: *free* <-> *held*; who gives it back hands it to the oldest of those who wait. Only the task that
    holds it may give it back.

    It stands before all our other locks, and who holds it may wait for fences; so it must not be taken in a
    signalling section. `_lock` protects the holder and those who wait; under it only that of an `AcquireContext` is
    taken. `_owned` is held by the holder all the time, for observers to see; nobody waits for it.

    Args:
        name: what reports call it.
    """

    __slots__ = ("_context", "_holder", "_lock", "_owned", "_waits", "name")

    kind: ClassVar[str] = "WwLock"
    """What observers call such locks."""

    def __init__(self, name: str = "lock") -> None:
        self.name = name
        self._lock = current().lock()
        self._owned = current().lock()
        name_lock(self._owned, self.kind)
        self._holder: Task | None = None
        self._context: AcquireContext | None = None
        self._waits: list[LockWait] = []

    @property
    def holder(self) -> Task | None:
        """Who holds it, or None. Any context; of another task's it may be over at once."""
        return self._holder

    def lock(self, context: AcquireContext | None = None, *, interrupt: Interrupt | None = None) -> None:
        """Block until it is held by the calling task. Client context.

        Without a context it wounds nobody and is not wounded: for who holds no other. A context that holds nothing is
        never told to back off, so that is how to wait for the lock one has backed off from. (kernel: ww_mutex_lock,
        ww_mutex_lock_slow, ww_mutex_lock_interruptible)

        Raises:
            OSError: EDEADLK when the context is wounded: unlock all it holds, and begin anew with this lock. EALREADY
                when the context holds it. EINTR when `interrupt` came before it was free.
            WrongState: when the task holds it in another context or in none; for a context of another task.
            WrongContext: from a context that may not block, whether it would have to or not.
        """
        task = current().task()
        task.check_may_block(self)
        if context is not None and context.task is not task:
            raise WrongState(f"{task.name} uses {context!r}")
        # Without the lock: nobody else makes it so or undoes it.
        if self._holder is task:
            raise self._held_already(context)
        about_to_lock(self._owned, backs_off=context is not None)
        # Not needed to get out of a circle, but the older one has waited for long enough.
        if context is not None and context.wounded:
            raise self._back_off(context)
        while (wait := self._take_or_join(task, context)) is not None:
            if self._sleep(wait, interrupt):
                break
        self._note_taken(context)

    def trylock(self, context: AcquireContext | None = None) -> bool:
        """Take it if it is free; False when it is not. Any context; wounds nobody.

        (kernel: ww_mutex_trylock)
        """
        with self._lock:
            if self._holder is not None:
                return False
            self._holder, self._context = current().task(), context
        self._note_taken(context)
        return True

    def unlock(self) -> None:
        """Give it back. Never blocks. Raises WrongState when the calling task does not hold it."""
        self.check_held()
        context = self._context
        self._owned.release()
        with self._lock:
            self._hand_over_locked()
        if context is not None:
            context.remove(self)

    def check_held(self) -> None:
        """Raise WrongState unless the calling task holds it."""
        task = current().task()
        if self._holder is not task:
            raise WrongState(f"{task.name} does not hold {self!r}: lock it first")

    def __enter__(self) -> Self:
        self.lock()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None, /
    ) -> None:
        self.unlock()

    # The way to a lock that is held.

    def _take_or_join(self, task: Task, context: AcquireContext | None) -> LockWait | None:
        """Take it, or stand in line."""
        with self._lock:
            if self._holder is None:
                self._holder, self._context = task, context
                return None
            wait = LockWait(self, task, context)
            insort(self._waits, wait, key=attrgetter("stamp"))
            if context is not None:
                self._wound_locked(context)
        return wait

    def _wound_locked(self, context: AcquireContext) -> None:
        """Ask the holder to give way to `context`, which now waits."""
        holder = self._context
        if holder is not None and holder.stamp > context.stamp:
            holder.wound()

    def _sleep(self, wait: LockWait, interrupt: Interrupt | None) -> bool:
        """Sleep until the lock was handed over; raise when it will not be.

        False when it was woken late, by an interrupt that was handled before it began to wait.
        """
        try:
            wait.sleep(interrupt)
        except BaseException:
            if not self._leave(wait):
                with self._lock:
                    self._hand_over_locked()
            raise
        if not self._leave(wait):
            return True
        if wait.context is not None and wait.context.wounded:
            raise self._back_off(wait.context)
        if interrupt is not None and interrupt.pending:
            raise OSError(errno.EINTR, f"{interrupt!r} ended the wait for {self!r}")
        return False

    def _leave(self, wait: LockWait) -> bool:
        """Wait no more; False when the lock was handed over."""
        with self._lock:
            if wait.over:
                return False
            self._waits.remove(wait)
            wait.over = True
            return True

    def _hand_over_locked(self) -> None:
        """Give it to the oldest of those who wait."""
        if not self._waits:
            self._holder = self._context = None
            return
        oldest = self._waits.pop(0)
        self._holder, self._context = oldest.task, oldest.context
        oldest.over = True
        oldest.wake()

    def _note_taken(self, context: AcquireContext | None) -> None:
        self._owned.acquire(False)  # noqa: FBT003 - positional in the protocol
        if context is not None:
            context.add(self)

    def _held_already(self, context: AcquireContext | None) -> Exception:
        if context is not None and self._context is context:
            return OSError(errno.EALREADY, f"{context!r} holds {self!r} already")
        return WrongState(f"{self!r} is locked again by who holds it, and would never be free")

    def _back_off(self, context: AcquireContext) -> OSError:
        said = f"{context!r} waits for {self!r} and holds what an older one waits for: unlock all and begin with this"
        return OSError(errno.EDEADLK, said)

    def __repr__(self) -> str:
        holder = self._holder
        return f"<{self.kind} {self.name}, {'free' if holder is None else f'held by {holder.name}'}>"


class LockWait:
    """A task waits for a `WwLock`.

    Attributes:
        lock, task, context: for which, who, in which undertaking.
        stamp: its age.
        over: the lock was handed over, or it waits no more. Protected by the lock of the lock.
    """

    __slots__ = ("_interrupt", "_waiter", "context", "lock", "over", "stamp", "task")

    def __init__(self, lock: WwLock, task: Task, context: AcquireContext | None) -> None:
        self.lock = lock
        self.task = task
        self.context = context
        self.stamp = next_stamp() if context is None else context.stamp
        self.over = False
        self._waiter = current().waiter()
        self._interrupt: Interrupt | None = None

    @property
    def holder(self) -> Task | None:
        """The one task that could end it; None when that is not known, or it is as good as ended."""
        wounded = self.context is not None and self.context.wounded
        return None if self.over or wounded or self._interrupt is not None else self.lock.holder

    def sleep(self, interrupt: Interrupt | None) -> None:
        """Block until the lock is handed over, the context is wounded or the interrupt comes."""
        if self.context is not None and not self.context.begin_wait(self._waiter):
            return
        self._interrupt = interrupt
        if interrupt is None:
            self._waiter.wait(None, self)
            return
        interrupt.add(self.wake)
        try:
            if not interrupt.pending:
                self._waiter.wait(None, self)
        finally:
            interrupt.remove(self.wake)

    def wake(self) -> None:
        """End the sleep. Any context."""
        self._waiter.wake()

    def __str__(self) -> str:
        return f"{self.lock!r}"
