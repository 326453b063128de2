"""What a world is made of: the four protocols that everything which waits is built upon."""

from __future__ import annotations

from queue import Empty
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

__all__ = ["Empty", "Flag", "Lock", "Mailbox", "PlainFlag", "Waiter", "wake_all"]

T = TypeVar("T")


class Lock(Protocol):
    """Mutual exclusion, not recursive. Held for a few lines, never across a wait."""

    def acquire(self, blocking: bool = True, timeout: float = -1, /) -> bool:  # noqa: FBT001, FBT002 - as threading's
        """Take the lock; False when `blocking` is False and somebody holds it."""
        ...

    def release(self) -> None:
        """Give it back."""
        ...

    def locked(self) -> bool:
        """Say whether anybody holds it."""
        ...

    def __enter__(self) -> bool: ...

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None, /
    ) -> None: ...


class Waiter(Protocol):
    """One sleep of one task.

    Life cycle: *fresh* -> *woken*, once. Made by the task that will sleep, handed to whoever shall wake it.
    """

    def wait(self, deadline_ns: int | None, on: object) -> bool:
        """Block until woken; False when the world's clock reached `deadline_ns` first.

        Raises WrongContext where the task may not block, WrongWorld in another world than the one that made it. `on` is
        what reports name as the reason.
        """
        ...

    def wake(self) -> None:
        """End the sleep, now or before it began. Never blocks; any context; waking twice does nothing.

        Raises WrongWorld from outside of a world that lives on one thread.
        """
        ...


class Mailbox(Protocol[T]):
    """An unbounded queue of many senders, first in first out. Each item goes to one of those who take."""

    def put(self, item: T, /) -> None:
        """Append; never blocks; any context."""
        ...

    def get(self) -> T:
        """Take the oldest; blocks until there is one.

        Where the task may not block, a virtual world raises WrongContext and the native one does not notice.
        """
        ...

    def get_nowait(self) -> T:
        """Take the oldest, or raise `Empty`."""
        ...

    def empty(self) -> bool:
        """Say whether a get would block now."""
        ...


class Flag(Protocol):
    """Something that was not so, and then is. Nobody waits for it: see `Gate`."""

    def set(self) -> None:
        """Set it, for good. Any context."""
        ...

    def is_set(self) -> bool:
        """Say whether it was set. Any context."""
        ...


class PlainFlag:
    """A flag that costs one store, and one load."""

    __slots__ = ("_set",)

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set


def wake_all(waiters: Iterable[Waiter]) -> None:
    """Wake every one of `waiters`; when some refuse, raise the first refusal after the others were woken."""
    refusal: Exception | None = None
    for waiter in waiters:
        try:
            waiter.wake()
        except Exception as error:  # noqa: BLE001 - the others sleep on otherwise
            refusal = refusal or error
    if refusal is not None:
        raise refusal
