"""Taking many locks at once, with the backing off that it takes."""

from __future__ import annotations

import errno
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fencepost.fences.ww_lock import AcquireContext, WwLock

if TYPE_CHECKING:
    from fencepost.fences.interrupt import Interrupt

__all__ = ["locked"]


@contextmanager
def locked(locks: Iterable[WwLock], *, interrupt: Interrupt | None = None) -> Generator[AcquireContext]:
    """Hold all of `locks`, such as the reservations of a submission, in the body. Client context.

    Any number of tasks may ask for any locks in any order: nobody waits for ever, as long as who holds some waits for
    nothing that others must be able to lock them for. One that is named twice is taken once. (kernel: drm_exec)

    Raises:
        OSError: EINTR when the interrupt came first; nothing is held then.
        WrongContext: from a context that may not block.
    """
    with AcquireContext() as context:
        order = tuple(dict.fromkeys(locks))
        while (contended := first_refused(context, order, interrupt)) is not None:
            context.unlock_all()
            # First, so that it waits for this one with nothing held instead of being refused again and again.
            order = tuple(dict.fromkeys((contended, *order)))
        yield context


def first_refused(context: AcquireContext, locks: Iterable[WwLock], interrupt: Interrupt | None) -> WwLock | None:
    """Lock one after the other; return the one that tells the context to back off, or None when all are held."""
    for lock in locks:
        try:
            lock.lock(context, interrupt=interrupt)
        except OSError as error:
            if error.errno != errno.EDEADLK:
                raise
            return lock
    return None
