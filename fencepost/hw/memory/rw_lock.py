"""Locks that many may hold to read, or one to write, and that are held across waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, ClassVar

from fencepost.errors import WrongState
from fencepost.sync import Task, current
from fencepost.sync.observer import about_to_lock, listening, name_lock
from fencepost.sync.tracking import tracked

__all__ = ["MmapLock", "RwLock", "RwWait", "VmLock"]


@tracked("_writes")
class RwLock:
    """Lets one task write, or any number read; who comes first goes first.

    So a reader that comes while a writer waits stands behind it, and who reads must not read again. Held across waits
    by design, also for fences; so it must not be taken in a signalling section. (kernel: rw_semaphore)

    Life cycle: *free* <-> *read* or *written*. Only the task that holds it may give it back.

    `_lock` protects who holds it and who waits; a leaf.

    Args:
        name: what reports call it.
    """

    kind: ClassVar[str] = "RwLock"
    """What observers call such locks."""

    def __init__(self, name: str = "lock") -> None:
        self.name = name
        self._lock = current().lock()
        self._writes = False
        # Each with a lock of its own for observers to see, where there are some; nobody waits for that.
        self._holds: dict[Task, Any] = {}
        self._waits: deque[RwWait] = deque()

    @property
    def holders(self) -> tuple[Task, ...]:
        """Who holds it. Any context; of another task's it may be over at once."""
        return tuple(self._holds)

    @contextmanager
    def read(self) -> Generator[None]:
        """Hold it in the body, with others that read. Client context; blocks until nobody writes or came before.

        Raises:
            WrongState: when the task holds it.
            WrongContext: from a context that may not block, whether it would have to or not.
        """
        self._acquire(writes=False)
        try:
            yield
        finally:
            self._release()

    @contextmanager
    def write(self) -> Generator[None]:
        """Hold it in the body, alone. Client context; blocks until nobody holds it or came before. Raises as `read`."""
        self._acquire(writes=True)
        try:
            yield
        finally:
            self._release()

    def check_held(self) -> None:
        """Raise WrongState unless the calling task holds it."""
        task = current().task()
        if task not in self._holds:
            raise WrongState(f"{task.name} does not hold {self!r}: lock it first")

    def _acquire(self, *, writes: bool) -> None:
        task = current().task()
        task.check_may_block(self)
        # Without the lock: nobody else makes it so or undoes it.
        if task in self._holds:
            raise WrongState(f"{self!r} is locked again by {task.name}, which would wait for itself")
        seen = self._seen_by_observers()
        if seen is not None:
            about_to_lock(seen)
        wait = self._take_or_join(RwWait(self, task, writes=writes, seen=seen))
        if wait is not None:
            self._sleep(wait)
        if seen is not None:
            seen.acquire(False)  # noqa: FBT003 - positional in the protocol

    def _release(self) -> None:
        task = current().task()
        seen = self._holds[task]
        if seen is not None:
            seen.release()
        with self._lock:
            del self._holds[task]
            self._hand_over_locked()

    def _seen_by_observers(self) -> Any:  # noqa: ANN401 - a Lock or None
        if listening() is None:
            return None
        seen = current().lock()
        name_lock(seen, self.kind)
        return seen

    def _take_or_join(self, wait: RwWait) -> RwWait | None:
        """Take it, or stand in line."""
        with self._lock:
            self._waits.append(wait)
            self._hand_over_locked()
            return None if wait.over else wait

    def _sleep(self, wait: RwWait) -> None:
        try:
            wait.sleep()
        except BaseException:
            with self._lock:
                if wait.over:
                    del self._holds[wait.task]
                else:
                    self._waits.remove(wait)
                self._hand_over_locked()
            raise

    def _hand_over_locked(self) -> None:
        """Give it to those in front who may have it."""
        while self._waits and not (self._holds and (self._writes or self._waits[0].writes)):
            wait = self._waits.popleft()
            self._writes = wait.writes
            self._holds[wait.task] = wait.seen
            wait.over = True
            wait.wake()

    def __repr__(self) -> str:
        names = ", ".join(task.name for task in self.holders)
        return f"<{self.kind} {self.name}, {f'held by {names}' if names else 'free'}>"


class MmapLock(RwLock):
    """Protects which memory a process has, and where. Before reservations.

    (kernel: mmap_lock)
    """

    kind: ClassVar[str] = "MmapLock"


class VmLock(RwLock):
    """Protects what is bound in an address space of the GPU. Before the mmap lock.

    (kernel: xe_vm.lock)
    """

    kind: ClassVar[str] = "VmLock"


class RwWait:
    """A task waits for a `RwLock`.

    Attributes:
        lock, task, writes: for which, who, whether to write.
        seen: what observers see held.
        over: the lock was handed over. Protected by the lock of the lock.
    """

    __slots__ = ("_waiter", "lock", "over", "seen", "task", "writes")

    def __init__(self, lock: RwLock, task: Task, *, writes: bool, seen: Any) -> None:  # noqa: ANN401 - as above
        self.lock = lock
        self.task = task
        self.writes = writes
        self.seen = seen
        self.over = False
        self._waiter = current().waiter()

    @property
    def holders(self) -> tuple[Task, ...]:
        """The tasks all of which have to give it back first."""
        return () if self.over else self.lock.holders

    def sleep(self) -> None:
        """Block until it is handed over."""
        self._waiter.wait(None, self)

    def wake(self) -> None:
        """End the sleep. Any context."""
        self._waiter.wake()

    def __str__(self) -> str:
        return f"{self.lock!r}"
