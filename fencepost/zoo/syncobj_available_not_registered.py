"""A client that waited for a point to be available, and was on no list.

The product has no syncobjs yet; the model has the kernel's.
"""

from __future__ import annotations

import enum
from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Waiter, current, deadline_ns, now_ns
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

TIMEOUT_S: Final = 1.0


class Wait(enum.Flag):
    """What a waiter asks for."""

    FOR_SUBMIT = enum.auto()
    AVAILABLE = enum.auto()


class Syncobj:
    """A point, submitted or not. `_lock` protects that and the list of who waits for it."""

    def __init__(self) -> None:
        self._lock = current().lock()
        self._waiters: list[Waiter] = []
        self._submitted = False

    def submit(self) -> None:
        """Bring the point."""
        with self._lock:
            self._submitted = True
            for waiter in self._waiters:
                waiter.wake()

    def wait(self, flags: Wait, when_ns: int | None) -> bool:
        """Block until the point was submitted; False when it was not by `when_ns`."""
        waiter = current().waiter()
        if self.wants_news(flags):
            with self._lock:
                self._waiters.append(waiter)
        if not self.submitted():
            waiter.wait(when_ns, "the point")
        return self.submitted()

    def wants_news(self, flags: Wait) -> bool:
        """Say whether a waiter with these flags sleeps until a submission."""
        return bool(flags & (Wait.FOR_SUBMIT | Wait.AVAILABLE))

    def submitted(self) -> bool:
        with self._lock:
            return self._submitted


class SyncobjAsItWas(Syncobj):
    """Wakes those who asked for the submission by its first name."""

    def wants_news(self, flags: Wait) -> bool:
        return bool(flags & Wait.FOR_SUBMIT)


def model(syncobj: Syncobj, runtime: Runtime) -> None:
    """Wait for a point that another client submits."""
    when_ns = deadline_ns(TIMEOUT_S)
    runtime.spawn(syncobj.submit, "submitter")
    assert syncobj.wait(Wait.AVAILABLE, when_ns)
    assert when_ns is not None
    assert now_ns() < when_ns, "the point was there, and the waiter slept until its time was up"


BUG = Bug(
    name="syncobj-available-not-registered",
    title=None,
    fix="8c44ea81634a (syncobj), January 2024; broken by 01d6c3578379; title not known",
    symptom="a wait takes its whole time-out, then reports success",
    interleaving="a client looks for the point and does not find it; the point comes, and wakes those on the list; the"
    " client, which never put itself there, goes to sleep",
    repair="put whoever waits for a point to be available on the list too",
    broken=lambda runtime: model(SyncobjAsItWas(), runtime),
    fixed=lambda runtime: model(Syncobj(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
