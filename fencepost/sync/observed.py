"""Worlds that tell an observer of every step that orders tasks.

Each primitive is a wrapper around the plain one, so an unobserved world knows nothing of this and pays nothing. The
lock of the timers stays plain: that a timer was armed before it fires is told outright, and that two tasks armed
timers one after the other orders nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fencepost.sync.native import NativeTask, NativeWorld, current_task
from fencepost.sync.task import Task
from fencepost.sync.timers import Timer, Timers
from fencepost.sync.tracking import install_fields, observing
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

    __slots__ = ("_giver", "_stamp", "_world", "holder", "inner", "kind")

    kind: LockKind

    _stamp: Stamp
    """All that is known of the past by taking it, once somebody gave it back."""

    def __init__(self, world: Observed, inner: Lock) -> None:
        self.inner = inner
        self.holder: Watch | None = None
        self._world = world
        # Who gave it back last.
        self._giver: Watch | None = None

    def rename(self, name: str) -> None:
        """Give it a kind of its own. See `name_lock`."""
        self._world.observer.new_lock(self, name)

    # With the short ways written out, and few calls: this is where observed programs spend their time.

    def acquire(self, blocking: bool = True, timeout: float = -1, /) -> bool:  # noqa: FBT001, FBT002 - as Lock
        watch = ambient.watch
        if watch is None or watch.world is not self._world:
            watch = self._world.here()
        if blocking and (watch.held or watch.sections):
            watch.locking(self)
        if not self.inner.acquire(blocking, timeout):
            return False
        if self._giver is not watch and self._giver is not None:
            watch.acquire(self._stamp)
        if not self.kind.is_flag:
            self.holder = watch
            watch.held = (*watch.held, self)
        return True

    __enter__ = acquire

    def release(self, *_: object) -> None:
        watch = ambient.watch
        if watch is None or watch.world is not self._world:
            watch = self._world.here()
        holder = self.holder
        if holder is watch:
            self.holder = None
            held = watch.held
            if held and held[-1] is self:
                watch.held = held[:-1]
            else:
                watch.held = tuple(lock for lock in held if lock is not self)
        elif holder is not None:
            self.holder = None
            self.kind.is_flag = True
        self._stamp = watch.release()
        self._giver = watch
        self.inner.release()

    __exit__ = release

    def locked(self) -> bool:
        return self.inner.locked()

    def __repr__(self) -> str:
        holder = self.holder
        return f"<{self.kind}, {'free' if holder is None else f'held by {holder.task.name}'}>"


class ObservedNativeLock(ObservedLock):
    """A native lock, whose contention is told too: threads themselves do not say what they wait for."""

    __slots__ = ()

    def acquire(self, blocking: bool = True, timeout: float = -1, /) -> bool:  # noqa: FBT001, FBT002 - as Lock
        watch = ambient.watch
        if watch is None or watch.world is not self._world:
            watch = self._world.here()
        if blocking and (watch.held or watch.sections):
            watch.locking(self)
        if not self.inner.acquire(False) and not (blocking and self._wait(watch, timeout)):  # noqa: FBT003
            return False
        if self._giver is not watch and self._giver is not None:
            watch.acquire(self._stamp)
        if not self.kind.is_flag:
            self.holder = watch
            held = watch.held
            watch.held = (*held, self) if held else (self,)
        return True

    __enter__ = acquire

    def _wait(self, watch: Watch, timeout: float) -> bool:
        """Take it from somebody else."""
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

    __slots__ = ("_get", "_get_nowait", "_put", "_world", "empty", "inner", "name")

    def __init__(self, world: Observed, inner: Mailbox[Any], name: str) -> None:
        self.inner = inner
        self.name = name
        self._world = world
        self._put = inner.put
        self._get = inner.get
        self._get_nowait = inner.get_nowait
        self.empty = inner.empty

    def put(self, item: object, /) -> None:
        watch = ambient.watch
        if watch is None or watch.world is not self._world:
            watch = self._world.here()
        self._put((watch.release(), item))

    def get(self) -> Any:  # noqa: ANN401 - what was put
        stamp, item = self._get()
        self._world.here().acquire(stamp)
        return item

    def get_nowait(self) -> Any:  # noqa: ANN401 - what was put
        stamp, item = self._get_nowait()
        self._world.here().acquire(stamp)
        return item

    def __repr__(self) -> str:
        return self.name


class ObservedNativeMailbox(ObservedMailbox):
    """A native mailbox, whose receiver says that it waits."""

    __slots__ = ()

    def get(self) -> Any:  # noqa: ANN401 - what was put
        watch = ambient.watch
        if watch is None or watch.world is not self._world:
            watch = self._world.here()
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
        watch.deadline_ns = deadline_ns
        try:
            watch.waiting(on)
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
    """A task whose end comes before whatever is done by those who know of it; mixed in before the kind of task."""

    __slots__ = ()

    @property
    def done(self) -> bool:
        return super().done and self._note_end()  # type: ignore[safe-super]

    def join(self, timeout_s: float | None = None) -> bool:
        return super().join(timeout_s) and self._note_end()  # type: ignore[safe-super]

    def _note_end(self) -> bool:
        """Note that the calling task knows that this one has ended."""
        watch = self.watch
        if watch is not None and watch.last is not None:
            watch.world.here().acquire(watch.last)
        return True


class ObservedNativeTask(ObservedTask, NativeTask):
    """A thread that is observed."""

    __slots__ = ()


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
        self.poison = observer.poison
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

    def _remember(self, watch: Watch) -> None:
        """Make it short to find the watch of the calling task."""

    def touch(self, thing: object, field: Field, *, writes: bool) -> None:
        """Tell that the calling task is about to read or write a tracked field."""
        self.here().touch(thing, field, writes=writes)

    def _observed_lock(self) -> Lock:
        # Not overridden: the observer looks for the maker so many frames up.
        lock = self.lock_class(self, self._plain_lock())
        self.observer.new_lock(lock)
        return lock

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
        observing.add(self)

        def body() -> object:
            task = self.task()
            watch = task.watch = self.observer.begin(task, self, parent, None)
            self._remember(watch)
            try:
                return function()
            finally:
                watch.end()

        return super().spawn(body, name=name, service=service)  # type: ignore[safe-super]

    def enter(self) -> None:
        super().enter()
        observing.add(self)
        ambient.watch = None
        self.observer.entered(self)

    def close(self) -> list[Task]:
        self.observer.closing(self)
        try:
            return super().close()
        finally:
            self.observer.closed(self)
            observing.discard(self)
            ambient.watch = None


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
        watch = ambient.watch
        return self._meet(current_task()) if watch is None or watch.world is not self else watch

    def _meet(self, task: Task) -> Watch:
        watch = task.watch
        if watch is None or watch.world is not self:
            watch = self._watches.get(task)
        if watch is None:
            alive = threading.current_thread().is_alive
            watch = self._watches[task] = self.observer.begin(task, self, None, lambda: not alive())
        task.watch = watch
        self._remember(watch)
        return watch

    def _remember(self, watch: Watch) -> None:
        ambient.watch = watch
