"""A client that slept on the list of a syncobj whose reference it had put.

The product counts no references; the model has the kernel's.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Waiter, current
from fencepost.zoo.bug import Bug
from fencepost.zoo.refcount import Counted

__all__ = ["BUG"]


class Syncobj(Counted):
    """Holds a fence, once one was submitted, and those who wait for that. `_lock` protects both."""

    def __init__(self) -> None:
        super().__init__("syncobj")
        self._lock = current().lock()
        self._waiters: list[Waiter] = []
        self._submitted = False

    def submitted(self) -> bool:
        """Say whether it has a fence."""
        with self._lock:
            return self._submitted

    def add(self, waiter: Waiter) -> bool:
        """Have a waiter woken when a fence comes; False when there is one."""
        self.touch()
        with self._lock:
            if not self._submitted:
                self._waiters.append(waiter)
            return not self._submitted

    def remove(self, waiter: Waiter) -> None:
        """Take a waiter off the list."""
        self.touch()
        with self._lock:
            self._waiters.remove(waiter)

    def submit(self) -> None:
        """Put a fence in."""
        with self._lock:
            self._submitted = True
            for waiter in self._waiters:
                waiter.wake()


class Handle:
    """The number by which a process knows a syncobj. `_lock` protects the pointer together with its reference."""

    def __init__(self, syncobj: Syncobj) -> None:
        self._lock = current().lock()
        self._syncobj: Syncobj | None = syncobj

    def look_up(self) -> Syncobj | None:
        """Return the syncobj with a reference for the caller."""
        with self._lock:
            if self._syncobj is not None:
                self._syncobj.get()
            return self._syncobj

    def destroy(self) -> None:
        """Forget it."""
        with self._lock:
            syncobj, self._syncobj = self._syncobj, None
        if syncobj is not None:
            syncobj.put()

    def wait_for_submit(self) -> None:
        """Block until a fence was submitted."""
        syncobj = self.look_up()
        if syncobj is None:
            return
        if not syncobj.submitted():
            self.sleep(syncobj)
        syncobj.put()

    def sleep(self, syncobj: Syncobj) -> None:
        """Sleep on the syncobj's list."""
        waiter = current().waiter()
        if syncobj.add(waiter):
            waiter.wait(None, syncobj)
            syncobj.remove(waiter)


class HandleAsItWas(Handle):
    """Is done with the reference after the first look."""

    def wait_for_submit(self) -> None:
        syncobj = self.look_up()
        if syncobj is None:
            return
        submitted = syncobj.submitted()
        syncobj.put()
        if not submitted:
            self.sleep(syncobj)


def model(handle_class: type[Handle], runtime: Runtime) -> None:
    """Wait for a submission while another client submits and destroys the handle."""
    syncobj = Syncobj()
    handle = handle_class(syncobj)
    runtime.spawn(handle.wait_for_submit, "waiter")

    def submit() -> None:
        syncobj.submit()
        handle.destroy()

    runtime.spawn(submit, "submitter")


BUG = Bug(
    name="syncobj-sleeper-without-reference",
    title=None,
    fix="a37eef63bc9e (syncobj), January 2021; broken by bc9c80fe01a2; title not known",
    symptom="use after free of a syncobj",
    interleaving="a waiter for a submission puts its reference and goes to sleep on the syncobj's list; the fence comes"
    " and the handle is destroyed, which frees the syncobj; the waiter takes itself off a list that is no more",
    repair="keep the reference until the wait is over",
    broken=lambda runtime: model(HandleAsItWas, runtime),
    fixed=lambda runtime: model(Handle, runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
