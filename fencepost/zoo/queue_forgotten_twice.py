"""A cleanup of a queue whose destruction was under way, and that was begun again."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.guc import Bit, Guc
from fencepost.hw.guc.tdr import Tdr
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import guc_with

__all__ = ["BUG"]


class TdrAsItWas(Tdr):
    """Does not ask whether the firmware was told to forget the queue already."""

    def _is_known(self) -> bool:
        return self._state.has(Bit.REGISTERED) and self._queue.guc.running


def model(guc: Guc, runtime: Runtime) -> None:
    """Close a queue while a job comes."""
    queue = guc.queue(runtime, "rcs0")
    queue.entity.submit(1).finished.wait()
    runtime.spawn(queue.close, "owner")
    queue.entity.submit(1).finished.wait()
    queue.gone.wait()
    runtime.world.sleep(1)
    assert not guc.firmware.violations, guc.firmware.violations[0]


BUG = Bug(
    name="queue-forgotten-twice",
    title=None,
    fix="a comment in the xe driver; commit and date not known",
    symptom="the state of a queue is one that cannot be, and the firmware gets a request for a queue it does not know",
    interleaving="a queue is being destroyed: the firmware was told to disable and to forget it; a job that has come"
    " at the last moment has a recovery clean the queue up, which tells the firmware again",
    repair="ask the firmware for nothing once it was told to forget a queue",
    broken=lambda runtime: model(guc_with(tdr=TdrAsItWas), runtime),
    fixed=lambda runtime: model(guc_with(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
