"""Worlds that tell an observer of every step that orders tasks.

Each primitive is a wrapper around the plain one, so an unobserved world knows nothing of this and pays nothing. The
lock of the timers stays plain: that a timer was armed before it fires is told outright, and that two tasks armed
timers one after the other orders nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fencepost.sync.native import NativeTask, NativeWorld, current_task
from fencepost.sync.task import Task
from fencepost.sync.timers import Timer, Timers
from fencepost.sync.tracking import install_fields
from fencepost.sync.world import World, ambient

if TYPE_CHECKING:
    from fencepost.sync.observer import LockKind, Observer, Stamp, Watch
    from fencepost.sync.primitives import Lock, Mailbox, Waiter
    from fencepost.sync.tracking import Field

__all__ = ["Observed", "ObservedLock", "ObservedMailbox", "ObservedTask", "ObservedWaiter", "ObservedWorld"]


class ObservedLock:
    """A lock that tells who takes it and gives it back.

    Attributes:
        inner: the lock itself.
        kind: what the observer found out about it.
        holder: the watch of who holds it, or None. Nobody holds one that is a flag: see `LockKind.is_flag`.
    """

    __slots__ = ("_giver", "_here", "_observer", "_stamp", "holder", "inner", "kind")

    kind: LockKind

    def __init__(self, world: Observed, inner: Lock) -> None:
        self.inner = inner
        self.holder: Watch | None = None
        self._here = world.here
        self._observer = world.observer
        # Who gave it back last, and all that is known of the past by taking it then.
        self._giver: Watch | None = None
        self._stamp: Stamp = None

    def rename(self, name: str) -> None:
        """Give it a kind of its own. See `name_lock`."""
        self._observer.new_lock(self, name)

    def acquire(self, blocking: bool = True, timeout: float = -1, /) -> bool:  # noqa: FBT001, FBT002 - as Lock
        watch = self._here()
        if blocking and (watch.held or watch.sections):
            watch.locking(self)
        if not self.inner.acquire(blocking, timeout):
            return False
        if self._giver is not None and self._giver is not watch:
            watch.acquire(self._stamp)
        if not self.kind.is_flag:
            self.holder = watch
            watch.held.append(self)
        return True

    def release(self) -> None:
        watch = self._here()
        holder = self.holder
        if holder is not None:
            self.holder = None
            if holder is watch and watch.held[-1] is self:
                watch.held.pop()
            else:
                self._given_back(holder, watch)
        self._stamp = watch.release()
        self._giver = watch
        self.inner.release()

    def _given_back(self, holder: Watch, watch: Watch) -> None:
        """Take it off the list of its holder: out of order, or by somebody else."""
        if holder is not watch:
            self.kind.is_flag = True
        if self in holder.held:
            holder.held.remove(self)

    def locked(self) -> bool:
        return self.inner.locked()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None, /
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        holder = self.holder
        return f"<{self.kind}, {'free' if holder is None else f'held by {holder.task.name}'}>"


class ObservedNativeLock(ObservedLock):
    """A native lock, whose contention is told too: threads themselves do not say what they wait for."""

    __slots__ = ()

    def acquire(self, blocking: bool = True, timeout: float = -1, /) -> bool:  # noqa: FBT001, FBT002 - as Lock
        # As in the base, in one piece: this is where observed programs spend their time.
        watch = self._here()
        if blocking and (watch.held or watch.sections):
            watch.locking(self)
        if not self.inner.acquire(False) and not (blocking and self._wait(watch, timeout)):  # noqa: FBT003
            return False
        if self._giver is not None and self._giver is not watch:
            watch.acquire(self._stamp)
        if not self.kind.is_flag:
            self.holder = watch
            watch.held.append(self)
        return True

    def __enter__(self) -> bool:
        return self.acquire()

    def _wait(self, watch: Watch, timeout: float) -> bool:
        task = watch.task
        before = task.waiting_on
        task.waiting_on = self
        try:
            if timeout < 0:
                watch.contended()
            return self.inner.acquire(True, timeout)  # noqa: FBT003 - positional in the protocol
        finally:
            task.waiting_on = before


class ObservedMailbox:
    """A mailbox in which every item comes with the stamp of its sender."""

    __slots__ = ("_get", "_get_nowait", "_here", "_put", "empty", "inner", "name")

    def __init__(self, world: Observed, inner: Mailbox[Any], name: str) -> None:
        self.inner = inner
        self.name = name
        self._here = world.here
        self._put = inner.put
        self._get = inner.get
        self._get_nowait = inner.get_nowait
        self.empty = inner.empty

    def put(self, item: object, /) -> None:
        self._put((self._here().release(), item))

    def get(self) -> Any:  # noqa: ANN401 - what was put
        stamp, item = self._get()
        self._here().acquire(stamp)
        return item

    def get_nowait(self) -> Any:  # noqa: ANN401 - what was put
        stamp, item = self._get_nowait()
        self._here().acquire(stamp)
        return item

    def __repr__(self) -> str:
        return self.name


class ObservedNativeMailbox(ObservedMailbox):
    """A native mailbox, whose receiver says that it waits."""

    __slots__ = ()

    def get(self) -> Any:  # noqa: ANN401 - what was put
        watch = self._here()
        stamp, item = self._wait(watch.task) if self.empty() else self._get()
        watch.acquire(stamp)
        return item

    def _wait(self, task: Task) -> tuple[Stamp, Any]:
        task.waiting_on = self
        try:
            stamp, item = self._get()
        finally:
            task.waiting_on = None
        return stamp, item


class ObservedWaiter:
    """A sleep: what was done before a wake happened before the end of the sleep."""

    __slots__ = ("_here", "_stamps", "inner")

    def __init__(self, world: Observed, inner: Waiter) -> None:
        self.inner = inner
        self._here = world.here
        # More than one when it is woken more than once.
        self._stamps: list[Stamp] = []

    def wait(self, deadline_ns: int | None, on: object) -> bool:
        watch = self._here()
        watch.waiting(on)
        watch.deadline_ns = deadline_ns
        try:
            woken = self.inner.wait(deadline_ns, on)
        finally:
            watch.deadline_ns = None
        if woken:
            for stamp in self._stamps:
                watch.acquire(stamp)
        return woken

    def wake(self) -> None:
        self._stamps.append(self._here().release())
        self.inner.wake()


class ObservedTimers(Timers):
    """Timers whose functions come after what their armer had done."""

    def call_at(self, deadline_ns: int, function: Callable[[], object]) -> Timer:
        observed = self._world.observed
        assert observed is not None
        stamp = observed.here().release()

        def fire() -> None:
            observed.here().acquire(stamp)
            function()

        return super().call_at(deadline_ns, fire)


class ObservedTask(Task):
    """A task whose end comes before whatever is done by those who know of it."""

    __slots__ = ()

    def note_end(self) -> None:
        """Note that the calling task knows that this one has ended."""
        watch = self.watch
        if watch is not None and watch.last is not None:
            watch.world.here().acquire(watch.last)


class ObservedNativeTask(ObservedTask, NativeTask):
    """A thread that is observed."""

    __slots__ = ()

    @property
    def done(self) -> bool:
        done = super().done
        if done:
            self.note_end()
        return done

    def join(self, timeout_s: float | None = None) -> bool:
        ended = super().join(timeout_s)
        if ended:
            self.note_end()
        return ended


class Observed(World):
    """What makes a world an observed one; mixed in before the kind of world. See `ObservedWorld`.

    Attributes:
        observer: who watches.
        lock_class, mailbox_class: what the primitives are wrapped in.
    """

    observer: Observer
    lock_class: type[ObservedLock] = ObservedLock
    mailbox_class: type[ObservedMailbox] = ObservedMailbox

    def watch_by(self, observer: Observer) -> None:
        """Begin to tell `observer`. Once, at the end of the making."""
        install_fields()
        self.observer = observer
        self.observed = self
        self.timers = ObservedTimers(self)
        self._plain_lock = self.lock
        self.lock = self._observed_lock

    def here(self) -> Watch:
        """Return the watch of the calling task."""
        task = self.task()
        watch = task.watch
        return self._meet(task) if watch is None or watch.world is not self else watch

    def _meet(self, task: Task) -> Watch:
        watch = task.watch = self.observer.begin(task, self, None, None)
        return watch

    def touch(self, thing: object, field: Field, *, writes: bool) -> None:
        """Tell that the calling task is about to read or write a tracked field."""
        self.here().touch(thing, field, writes=writes)

    def _observed_lock(self) -> Lock:
        # Not overridden: the observer looks for the maker so many frames up.
        lock = self.lock_class(self, self._plain_lock())
        self.observer.new_lock(lock)
        self._lock_made(lock)
        return lock

    def _lock_made(self, lock: ObservedLock) -> None:
        """Take notice of a lock whose kind is known now."""

    def waiter(self) -> Waiter:
        return ObservedWaiter(self, self.plain_waiter())

    def plain_waiter(self) -> Waiter:
        """Make a waiter that nobody hears of; for what watches."""
        return super().waiter()  # type: ignore[safe-super]

    def mailbox(self, name: str = "mailbox") -> Mailbox[Any]:
        plain = super().mailbox(name)  # type: ignore[safe-super]
        return self.mailbox_class(self, plain, name)

    def spawn_unseen(self, function: Callable[[], object], *, name: str) -> Task:
        """Start a service that nobody hears of and that does not count; for what watches, which must join it."""
        task = super().spawn(function, name=name, service=True)  # type: ignore[safe-super]
        with self._adoption:
            self.tasks.remove(task)
            self.tasks_started -= 1
        return task

    def spawn(self, function: Callable[[], object], *, name: str, service: bool = False) -> Task:
        parent = self.here().release()

        def body() -> object:
            task = self.task()
            watch = task.watch = self.observer.begin(task, self, parent, None)
            try:
                return function()
            finally:
                watch.end()

        return super().spawn(body, name=name, service=service)  # type: ignore[safe-super]

    def enter(self) -> None:
        super().enter()
        self.observer.entered(self)

    def close(self) -> list[Task]:
        self.observer.closing(self)
        return super().close()


class ObservedWorld(Observed, NativeWorld):
    """A native world that is observed.

    Threads that fencepost did not start are met when they first do something here: what was done until then is taken
    to have happened before, and of their end nobody hears.

    Args:
        observer: who watches. One observer watches one world.
    """

    lock_class = ObservedNativeLock
    mailbox_class = ObservedNativeMailbox
    task_class = ObservedNativeTask

    def __init__(self, observer: Observer) -> None:
        super().__init__()
        self._watches: dict[Task, Watch] = {}
        self.watch_by(observer)

    def here(self) -> Watch:
        task = ambient.task
        if task is None:
            task = current_task()
        watch = task.watch
        return self._meet(task) if watch is None or watch.world is not self else watch

    def _meet(self, task: Task) -> Watch:
        watch = self._watches.get(task)
        if watch is None:
            alive = threading.current_thread().is_alive
            watch = self._watches[task] = self.observer.begin(task, self, None, lambda: not alive())
        task.watch = watch
        return watch
