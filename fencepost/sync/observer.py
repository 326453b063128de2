"""What an observed world tells those who watch it, and the annotations that only they hear.

An observer keeps a `Watch` of each task. The observed primitives call the watch of the task that takes the step, so an
observer never has to ask who did it. Order between tasks is told by stamps: who gives way to others makes one, who
goes on because of that takes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from fencepost.sync.world import ambient

if TYPE_CHECKING:
    from fencepost.sync.observed import Observed, ObservedLock
    from fencepost.sync.task import Task
    from fencepost.sync.tracking import Field

__all__ = [
    "LockKind",
    "Observer",
    "Stamp",
    "Watch",
    "about_to_lock",
    "as_flag",
    "begin_signalling",
    "end_signalling",
    "listening",
    "name_lock",
    "signalling",
]

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
        sections: the signalling sections it is in, the outermost first.
        deadline_ns: when its sleep ends by itself; None when it does not.
        last: the stamp of its end, or None.
    """

    world: Observed
    task: Task
    time: int
    held: tuple[ObservedLock, ...]
    sections: tuple[Any, ...]
    deadline_ns: int | None
    last: Stamp | None

    def release(self) -> Stamp:
        """Return a stamp of all it has done and seen so far."""
        ...

    def acquire(self, stamp: Stamp) -> None:
        """Note that everything in `stamp` happened before what it does next."""
        ...

    def publish(self, thing: object) -> Stamp:
        """Note that it is about to write a true value into the published field of `thing`; return a stamp for that."""
        ...

    def locking(self, lock: ObservedLock, *, backs_off: bool = False) -> None:
        """Note that it is about to block for `lock` if need be. Told only where it holds or is in something.

        `backs_off`: it may hold others of that kind, since it would give them back where they wait in a circle.
        """
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

    def begin_section(self) -> int:
        """Note that it enters a signalling section; return how many it is in."""
        ...

    def end_section(self, depth: int) -> None:
        """Note that it leaves the section that made it so many."""
        ...

    def hear(self, fact: object) -> None:
        """Note what a part of the program has to say, by the type of `fact`. What nobody knows is ignored."""
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

    def closed(self, world: Observed) -> None:
        """Note that the world was closed, and all its tasks joined."""
        ...


def name_lock(lock: Any, name: str) -> None:  # noqa: ANN401 - any Lock
    """Give `lock` a class of its own in reports and in the lock order; does nothing in an unobserved world.

    Locks of one class are expected to be taken by the same rules. Without a name, all locks made in one line of the
    program are of one class.
    """
    renamed = getattr(lock, "rename", None)
    if renamed is not None:
        renamed(name)


def as_flag(lock: Any) -> None:  # noqa: ANN401 - any Lock
    """Say that locks of this one's kind are flags, before observers find that out: see `LockKind.is_flag`.

    Does nothing in an unobserved world.
    """
    kind = getattr(lock, "kind", None)
    if isinstance(kind, LockKind):
        kind.is_flag = True


def about_to_lock(lock: Any, *, backs_off: bool = False) -> None:  # noqa: ANN401 - as above
    """Say that the calling task is about to block until it can take `lock`, which it will only try: see `WwLock`.

    Free in an unobserved world.
    """
    watch = listening()
    if watch is not None and (watch.held or watch.sections):
        watch.locking(lock, backs_off=backs_off)


def listening() -> Watch | None:
    """Return the watch of the calling task, or None in an unobserved world. Any context."""
    observed = ambient.world.observed
    return None if observed is None else observed.here()


def begin_signalling() -> int:
    """Say that the calling task must go on if a fence is to signal. Nests; any context. Free in an unobserved world.

    From here to the end of the section nothing may be waited for that might itself wait for a fence: no other fence, no
    reservation, no memory. Entering never blocks, so what is held already does not matter.
    (kernel: dma_fence_begin_signalling)

    Returns:
        The cookie that `end_signalling` must be given.
    """
    observed = ambient.world.observed
    return 0 if observed is None else observed.here().begin_section()


def end_signalling(cookie: int) -> None:
    """End the section that `begin_signalling` began, by the same task; the one that was begun last first.

    (kernel: dma_fence_end_signalling)
    """
    observed = ambient.world.observed
    if cookie and observed is not None:
        observed.here().end_section(cookie)


class signalling:  # noqa: N801 - reads as what it is: `with signalling():`
    """Annotates the body as a signalling section."""

    __slots__ = ("_cookie",)

    def __enter__(self) -> None:
        self._cookie = begin_signalling()

    def __exit__(self, *_: object) -> None:
        end_signalling(self._cookie)
