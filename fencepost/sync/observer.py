"""What an observed world tells those who watch it, and the annotations that only they hear.

An observer keeps a `Watch` of each task. The observed primitives call the watch of the task that takes the step, so an
observer never has to ask who did it. Order between tasks is told by stamps: who gives way to others makes one, who
goes on because of that takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from fencepost.sync.world import ambient

if TYPE_CHECKING:
    from fencepost.sync.observed import Observed, ObservedLock
    from fencepost.sync.task import Task
    from fencepost.sync.tracking import Field

__all__ = ["LockKind", "Observer", "Stamp", "Watch", "begin_signalling", "end_signalling", "name_lock", "signalling"]

Stamp = Any
"""What one task had done and seen at some moment. Only the observer that made it can read it."""


class LockKind:
    """Locks that are taken by the same rules. Each kind is one object.

    Attributes:
        name: how reports call it.
        is_flag: one of them was given back by another task than the one that took it. So they are flags that are tested
            and set in one step: nobody holds them, and they only order.
        after: what observers keep, for each kind that was taken while one of this kind was held.
    """

    __slots__ = ("after", "is_flag", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_flag = False
        self.after: dict[LockKind, Any] = {}

    def __str__(self) -> str:
        return self.name


class Watch(Protocol):
    """What an observer knows of one task. Called and changed by that task alone, and never blocks.

    Attributes:
        world: where the task runs.
        task: the task.
        time: another number after each stamp, so that all between two stamps bears the same.
        held: the locks it holds, in the order in which it took them. One that somebody else gave back is found out
            late: see `LockKind.is_flag`.
        sections: how many signalling sections it is in.
        deadline_ns: when its sleep ends by itself; None when it does not.
        last: the stamp of its end, or None.
    """

    world: Observed
    task: Task
    time: int
    held: tuple[ObservedLock, ...]
    sections: int
    deadline_ns: int | None
    last: Stamp | None

    def release(self) -> Stamp:
        """Return a stamp of all it has done and seen so far."""
        ...

    def acquire(self, stamp: Stamp) -> None:
        """Note that everything in `stamp` happened before what it does next."""
        ...

    def locking(self, lock: ObservedLock) -> None:
        """Note that it is about to block for `lock` if need be. Told only where it holds or is in something."""
        ...

    def contended(self) -> None:
        """Note that it is about to sleep until a lock is given back. Raises Deadlock when that could not end."""
        ...

    def waiting(self, on: object) -> None:
        """Note that it is about to wait for something other than a lock."""
        ...

    def touch(self, thing: object, field: Field, *, writes: bool) -> None:
        """Note that it is about to read or write a tracked field."""
        ...

    def end(self) -> None:
        """Note that it has come to its end; sets `last`."""
        ...


class Observer(Protocol):
    """Watches one world. Any task may call it at any time.

    Attributes:
        poison: the one of the world, see `World`.
    """

    @property
    def poison(self) -> Callable[[object, frozenset[str]], None]: ...

    def begin(self, task: Task, world: Observed, parent: Stamp | None, is_over: Callable[[], bool] | None) -> Watch:
        """Make the watch of a task, by the task itself.

        Args:
            task: who begins, or is met for the first time.
            world: where.
            parent: the stamp of who spawned it; None for a task that the world did not start.
            is_over: says whether such a task has ended, since nobody else will tell.
        """
        ...

    def new_lock(self, lock: ObservedLock, name: str | None = None) -> None:
        """Find out what kind of lock it is: by `name`, or by the place in the program that makes it."""
        ...

    def entered(self, world: Observed) -> None:
        """Note that the world was entered: services may be started."""
        ...

    def closing(self, world: Observed) -> None:
        """Note that the world is about to be closed: services must end. Idempotent."""
        ...


def name_lock(lock: Any, name: str) -> None:  # noqa: ANN401 - any Lock
    """Give `lock` a class of its own in reports and in the lock order; does nothing in an unobserved world.

    Locks of one class are expected to be taken by the same rules. Without a name, all locks made in one line of the
    program are of one class.
    """
    renamed = getattr(lock, "rename", None)
    if renamed is not None:
        renamed(name)


def begin_signalling() -> bool:
    """Say that the calling task must go on if a fence is to signal. Nests; any context. Free in an unobserved world.

    From here to the end of the section nothing may be waited for that might itself wait for a fence. Entering never
    blocks, so what is held already does not matter. (kernel: dma_fence_begin_signalling)

    Returns:
        What `end_signalling` must be given.
    """
    observed = ambient.world.observed
    if observed is None:
        return False
    observed.here().sections += 1
    return True


def end_signalling(cookie: bool) -> None:  # noqa: FBT001 - the one thing it takes
    """End the section that `begin_signalling` began, by the same task.

    (kernel: dma_fence_end_signalling)
    """
    observed = ambient.world.observed
    if cookie and observed is not None:
        observed.here().sections -= 1


@contextmanager
def signalling() -> Generator[None]:
    """Annotate the body as a signalling section."""
    cookie = begin_signalling()
    try:
        yield
    finally:
        end_signalling(cookie)
