"""A fence: the promise that something will be complete, kept exactly once.

The contract is that of the kernel's dma_fence, with these choices where Python can do better:

- What a reader sees is published in one step: who sees `signaled` also sees the final `error` and `timestamp_ns`.
- Callbacks run in the signaller's context but outside of the fence's lock, so one may ask anything of any fence. What
  the lock gave in the kernel is kept: a `remove_callback` that answers False returns only after the callbacks have run.
- A misuse that the kernel warns about raises.

A fence costs a few slots and a lock; what callbacks and sleepers need is made when there are some.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from fencepost.errors import WrongState
from fencepost.fences.callbacks import Callbacks
from fencepost.fences.context import context_alloc
from fencepost.sync.native import process_lock
from fencepost.sync.primitives import wake_all
from fencepost.sync.tracking import published
from fencepost.sync.world import ambient, deadline_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from fencepost.sync.foreign import FutureOf
    from fencepost.sync.primitives import Lock, Waiter
    from fencepost.sync.task import Task

__all__ = ["Fence", "get_stub"]

MAX_ERRNO = 4095

PENDING, SIGNALLING, SIGNALED = range(3)
"""Not signalled; signalled with callbacks still running; signalled and all callbacks done."""


@published("_state")
class Fence:
    """Signals once that work is complete, to callbacks and to sleepers.

    Life cycle: *pending* -> *signalled*, once and for good. A fence belongs to the world it was made in.

    Whoever makes a fence must keep it until it signals. One that loses its last reference while callbacks wait for it
    is a bug: it warns, and the callbacks are called with a stand-in of the same context and number that signals
    -EDEADLK.

    `HookedFence` is for fences that must be told when somebody begins to wait, or be asked whether they are complete.

    Args:
        context: the timeline it is on; None takes a new one when somebody asks for it.
        seqno: its place on that timeline.
        name: what reports call it.
        lock: the lock to use, for fences that share one. It protects the state, the error, the timestamp, the callbacks
            and the sleepers; under it only the lock of the context numbers is taken.
    """

    __slots__ = (
        "_callbacks",
        "_context",
        "_error",
        "_lock",
        "_signaller",
        "_state",
        "_timestamp_ns",
        "_waiters",
        "name",
        "seqno",
        "stamp_",
    )

    def __init__(self, context: int | None = None, seqno: int = 0, name: str = "", lock: Lock | None = None) -> None:
        self._lock: Lock = ambient.world.lock() if lock is None else lock
        self._state = PENDING
        self._error = 0
        self._callbacks: list[Callable[[Fence], object]] | None = None
        self._waiters: list[Waiter] | None = None
        self._context = context
        self.seqno = seqno
        self.name = name

    # What it says. Any context.

    @property
    def signaled(self) -> bool:
        """True once the fence has signalled. Of one that can be polled this may signal it, right here."""
        return self._state != PENDING

    @property
    def error(self) -> int:
        """0, or the negative errno the work ended with; 0 while pending."""
        return self._error if self._state else 0

    @property
    def status(self) -> int:
        """0 while pending, 1 when complete without an error, else the negative errno.

        (kernel: dma_fence_get_status)
        """
        return (self._error or 1) if self._state else 0

    @property
    def timestamp_ns(self) -> int:
        """When it signalled, on the world's clock. Raises WrongState while pending."""
        if not self._state:
            raise WrongState(f"{self!r} has no timestamp before it signals")
        return self._timestamp_ns

    @property
    def context(self) -> int:
        """The number of its timeline."""
        if self._context is None:
            with self._lock:
                if self._context is None:
                    self._context = context_alloc()
        return self._context

    # The signalling side: client, actor or irq context.

    def signal(self, error: int = 0, timestamp_ns: int | None = None) -> bool:
        """Complete it: run the callbacks in the order they came, then wake the sleepers. Never blocks.

        So whoever slept in `wait` returns after the callbacks have run; who asked `signaled` may be earlier. An
        exception of a callback is raised when all that is done; of several, the first.

        Args:
            error: 0, or the negative errno the work ended with (replaces what `set_error` stored).
            timestamp_ns: when it was complete, if that is better known than "now".

        Returns:
            True for the first signal. A later one does nothing and returns False.

        Raises:
            ValueError: for an error outside of -4095..0.
        """
        if error:
            check_errno(error)
        world = ambient.world
        if timestamp_ns is None:
            timestamp_ns = world.now_ns()
        # Acquire and release by hand: this is the hottest lock there is, and `with` costs twice as much.
        lock = self._lock
        lock.acquire()
        if self._state:
            lock.release()
            return False
        if error:
            self._error = error
        self._timestamp_ns = timestamp_ns
        callbacks = self._callbacks
        if callbacks is not None:
            self._callbacks = None
            self._signaller = world.task()
            self._state = SIGNALLING
            lock.release()
            self._run(callbacks)
            return True
        # After error and timestamp, since it publishes them to readers that do not take the lock.
        self._state = SIGNALED
        waiters = self._waiters
        if waiters is not None:
            # Detached under the lock: a sleeper whose time is up takes itself off the list it finds.
            self._waiters = None
        lock.release()
        if waiters is not None:
            wake_all(waiters)
        return True

    def set_error(self, error: int) -> None:
        """Store what the fence shall say when it signals.

        Raises ValueError unless -4095 <= error < 0, WrongState when it has signalled. (kernel: dma_fence_set_error)
        """
        with self._lock:
            self.set_error_locked(error)

    def set_error_locked(self, error: int) -> None:
        """Store the error; for `HookedFence.on_enable`, which holds the lock. Raises as `set_error`."""
        check_errno(error)
        if self._state:
            raise WrongState(f"{self!r} has signalled: its error can no longer be set")
        self._error = error

    def set_deadline(self, when_ns: int) -> None:
        """Hint that somebody wants it complete by `when_ns`; ignored unless a subclass makes use of it. Any context."""

    # The waiting side.

    def add_callback(self, callback: Callable[[Fence], object]) -> bool:
        """Have `callback(fence)` called once, at the signal, in the signaller's context. Any context.

        A callback posts a message or flips a flag; it must not block.

        Returns:
            True when it will be called; False when the fence has signalled: then it is not and never will be called.
        """
        lock = self._lock
        lock.acquire()
        try:
            if enabled := self._enable_locked():
                if self._callbacks is None:
                    self._callbacks = callbacks = Callbacks((callback,))
                    callbacks.origin = (Fence, self._context, self.seqno, self.name)
                else:
                    self._callbacks.append(callback)
        finally:
            lock.release()
        if not enabled:
            self._refused()
        return enabled

    def remove_callback(self, callback: Callable[[Fence], object], *, wait: bool = True) -> bool:
        """Take back a callback (the first that equals `callback`).

        Args:
            callback: what was added.
            wait: False does not wait for callbacks that are running.

        Returns:
            True when it was there: it has not run and will not. False when it has run, or never was there. If callbacks
            are running now, that is known only when they have finished: this blocks so long, except when called from
            one of them; then the callback may still be about to run.

        Raises:
            WrongContext: when it would have to block and may not.
        """
        with self._lock:
            if self._callbacks is not None and callback in self._callbacks:
                self._callbacks.remove(callback)
                return True
        if wait:
            self.wait_for_callbacks()
        return False

    def enable_signaling(self) -> bool:
        """Ask that the fence will signal without being polled; False when it has signalled. Any context."""
        with self._lock:
            enabled = self._enable_locked()
        if not enabled:
            self._refused()
        return enabled

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until it signals. An error does not matter here: ask `error`.

        Returns:
            True when signalled, False when `timeout_s` ran out first (0 polls).

        Raises:
            ValueError: for a negative time-out.
            WrongContext: from a context that may not block, unless it has signalled.
        """
        return self.wait_until(deadline_ns(timeout_s))

    def wait_until(self, when_ns: int | None) -> bool:
        """Block until it signals; False when the world's clock reached `when_ns` first. Raises as `wait`."""
        if self._state:
            return True
        waiter = ambient.world.waiter()
        with self._lock:
            if enabled := self._enable_locked():
                if self._waiters is None:
                    self._waiters = [waiter]
                else:
                    self._waiters.append(waiter)
        if not enabled:
            self._refused()
            return True
        woken = False
        try:
            woken = waiter.wait(when_ns, self)
        finally:
            if not woken:
                self._forget(waiter)
        # The signal may have come together with the deadline: then its callbacks are still to be waited for.
        if not woken:
            self.wait_for_callbacks()
        # A signal that came since then came too late: its callbacks may still run.
        return self._state == SIGNALED

    def __await__(self) -> Generator[Any, None, int]:
        """Suspend a task of asyncio until it signals; what comes out is its `status`, so an error is no exception.

        One that has signalled suspends nobody. Cancelling the task takes back what was added here. Raises WrongWorld in
        a virtual or controlled world, where nothing may wait for asyncio.
        """
        from fencepost.sync.foreign import awaiting  # noqa: PLC0415 - asyncio is for those who use it

        return awaiting(self).__await__()

    def to_future(self) -> FutureOf:
        """Return a `concurrent.futures.Future` whose result will be its `status`, so an error is no exception.

        Any context. What is added to the future runs in the signaller's context. Cancelling the future takes back what
        was added here. Raises WrongWorld as `await` does.
        """
        from fencepost.sync.foreign import FutureOf  # noqa: PLC0415 - as above

        return FutureOf(self)

    def wait_for_callbacks(self) -> None:
        """Block until no callback of this fence is running any more; at once while pending or called from one of them.

        Raises WrongContext when it would have to block and may not.
        """
        if self._state != SIGNALLING or self._signaller is ambient.world.task():
            return
        waiter = ambient.world.waiter()
        with self._lock:
            if self._state != SIGNALLING:
                return
            self._waiters = [*(self._waiters or ()), waiter]
        waiter.wait(None, self)

    @property
    def signaller(self) -> Task | None:
        """Who runs its callbacks now, or None when nobody does. Any context."""
        return self._signaller if self._state == SIGNALLING else None

    _signaller: Task
    """Who runs the callbacks; set from the moment there were some."""

    def _enable_locked(self) -> bool:
        """Make sure that the fence will signal without being polled; False when it has signalled or is complete."""
        return self._state == PENDING

    def _refused(self) -> None:
        """Called without the lock after `_enable_locked` said False."""

    def _run(self, callbacks: list[Callable[[Fence], object]]) -> None:
        """Run the callbacks, all of them, then wake the sleepers; raise the first exception there was."""
        task = self._signaller
        outer, task.no_block = task.no_block, "it runs the callbacks of a fence"
        failed: BaseException | None = None
        for callback in callbacks:
            try:
                callback(self)
            except BaseException as error:  # noqa: BLE001 - the others must hear of the signal all the same
                failed = failed or error
        task.no_block = outer
        callbacks.clear()
        lock = self._lock
        lock.acquire()
        self._state = SIGNALED
        waiters, self._waiters = self._waiters, None
        lock.release()
        try:
            if waiters is not None:
                wake_all(waiters)
        finally:
            if failed is not None:
                raise failed

    def _forget(self, waiter: Waiter) -> None:
        """Take a sleeper off the list, unless the signal has taken the list."""
        with self._lock:
            if self._waiters is not None and waiter in self._waiters:
                self._waiters.remove(waiter)

    def __repr__(self) -> str:
        said = "pending"
        if self._state:
            said = errno_name(self._error) if self._error else "signalled"
        return f"<{type(self).__name__} {self.name or self._context or 'anonymous'}:{self.seqno} {said}>"


def get_stub() -> Fence:
    """Return the shared fence that has always been signalled: context 0, seqno 0, timestamp 0. Any context."""
    return _STUB


def check_errno(error: int) -> None:
    """Raise ValueError unless `error` is a negative errno the kernel could use."""
    if not -MAX_ERRNO <= error < 0:
        raise ValueError(f"an error of {error}, expected a negative errno, -{MAX_ERRNO} to -1")


def errno_name(error: int) -> str:
    """Return `-EIO` for -5."""
    return f"-{errno.errorcode.get(-error, str(-error))}"


# Its lock is of no world, since the first import may happen in any.
_STUB = Fence(0, 0, name="stub", lock=process_lock())
_STUB.signal(timestamp_ns=0)
