"""A slot whose fence was taken in two steps: first the pointer, then the reference.

The product counts no references; the model has the kernel's.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell
from fencepost.zoo.refcount import Counted

__all__ = ["BUG"]


class Syncobj:
    """Holds a reference of one fence. `_lock` protects the slot together with that reference."""

    def __init__(self, fence: Counted) -> None:
        self._lock = current().lock()
        self.slot = Cell("slot", fence)

    def replace(self, fence: Counted) -> None:
        """Put another fence in."""
        with self._lock:
            before = self.slot.exchange(fence)
        before.put()

    def find(self) -> Counted:
        """Return the fence, with a reference for the caller."""
        with self._lock:
            return self.load_and_get()

    def load_and_get(self) -> Counted:
        fence = self.slot.load()
        fence.get()
        return fence


class SyncobjAsItWas(Syncobj):
    """Relies on the exchange being atomic, which helps only replacers against each other."""

    def find(self) -> Counted:
        return self.load_and_get()


def model(syncobj_class: type[Syncobj], runtime: Runtime) -> None:
    """Look the fence up while it is replaced."""
    syncobj = syncobj_class(Counted("old fence"))

    def look() -> None:
        fence = syncobj.find()
        fence.touch()
        fence.put()

    runtime.spawn(look, "reader")
    runtime.spawn(lambda: syncobj.replace(Counted("new fence")), "writer")


BUG = Bug(
    name="syncobj-load-then-get",
    title=None,
    fix="discussed on 8 August 2017 (J. Ekstrand, C. Wilson); commit not known",
    symptom="use after free of a fence",
    interleaving="a reader loads the pointer; the writer exchanges it and puts the last reference of the old fence; the"
    " reader takes a reference of what is no more",
    repair="take the fence's reference under a lock, or try and look again",
    broken=lambda runtime: model(SyncobjAsItWas, runtime),
    fixed=lambda runtime: model(Syncobj, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
