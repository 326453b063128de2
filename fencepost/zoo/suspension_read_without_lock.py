"""Who holds a queue suspended, read without the lock under which it is written."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.guc import Guc
from fencepost.hw.guc.suspension import Suspension
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import guc_with

__all__ = ["BUG"]


class SuspensionAsItWas(Suspension):
    """Reads it as it stands."""

    @property
    def holders(self) -> int:
        return self._holders


def model(guc: Guc, runtime: Runtime) -> None:
    """Resume a queue, and suspend it again while its driver is about to let it run."""
    queue = guc.queue(runtime, "rcs0")
    queue.entity.submit(1).finished.wait()
    queue.suspend().wait()
    queue.resume()
    queue.suspend().wait()
    queue.resume()


BUG = Bug(
    name="suspension-read-without-lock",
    title=None,
    fix="a patch of May 2026, after a report of KCSAN on xe's suspend_pending; commit and title not known",
    symptom="a report of a data race; the compiler may read the field twice, and find two values",
    interleaving="the worker that resumes the queue looks who holds it; somebody suspends it at that moment",
    repair="no access without the lock (there: no plain access beside the marked ones)",
    broken=lambda runtime: model(guc_with(suspension=SuspensionAsItWas), runtime),
    fixed=lambda runtime: model(guc_with(), runtime),
    finds=frozenset({Kind.RACE}),
    observe=True,
)
