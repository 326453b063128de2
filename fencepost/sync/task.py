"""A task: one flow of control of a world, whatever carries it (an OS thread, a greenlet)."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any

from fencepost.errors import WrongContext

if TYPE_CHECKING:
    from fencepost.sync.observer import Watch

__all__ = ["Task"]


class Task(abc.ABC):
    """One flow of control, and what is known about it from outside.

    Life cycle: *running* or *waiting* -> *done*. A task that ends by an exception keeps it in `error`.

    Attributes:
        name: how reports call it.
        service: True for a task that has nothing to do of its own accord (an actor's loop, a worker, the timers): when
            it waits it is idle, and being idle for ever is no deadlock.
        errand: what it is at that others may have to know of, such as "reclaim"; empty for the rest. For reports.
        waiting_on: what it waits for now, or None. Written by the task itself; anybody may read it for a report.
        no_block: why it must not wait now (it runs a fence callback, a timer function), or None.
        result: what its function returned.
        error: the exception that ended it, or None.
        watch: what an observer keeps of it, or None.
    """

    __slots__ = ("errand", "error", "name", "no_block", "result", "service", "waiting_on", "watch")

    def __init__(self, name: str, *, service: bool) -> None:
        self.name = name
        self.service = service
        self.errand = ""
        self.waiting_on: object = None
        self.no_block: str | None = None
        self.result: Any = None
        self.error: BaseException | None = None
        self.watch: Watch | None = None

    def __repr__(self) -> str:
        return f"<task {self.name}>"

    def check_may_block(self, on: object) -> None:
        """Raise WrongContext where it may not wait for `on`. By the task itself."""
        if self.no_block is not None:
            raise WrongContext(f"{self.name} may not wait for {on}: {self.no_block}")

    @property
    @abc.abstractmethod
    def done(self) -> bool:
        """True when its function has returned or raised."""

    @abc.abstractmethod
    def join(self, timeout_s: float | None = None) -> bool:
        """Block until the task is done; False when `timeout_s` ran out first. Client context.

        Raises ValueError for a negative time-out, WrongContext where the caller may not block.
        """
