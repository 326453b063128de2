"""A client that waited for a point to be available, and was on no list."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence, Syncobj, WaitFlags
from fencepost.fences.syncobj_wait import PointWait
from fencepost.sync import NS_PER_S, now_ns
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

POINT: Final = 1


class PointWaitAsItWas(PointWait):
    """Hears of a submission when it was asked for by its first name."""

    def seek(self, index: int, registered: ExitStack) -> None:
        if WaitFlags.FOR_SUBMIT in self._flags:
            super().seek(index, registered)


def model(wait_class: type[PointWait], runtime: Runtime) -> None:
    """Wait for a point that another client submits."""
    syncobj = Syncobj()
    runtime.spawn(partial(syncobj.add_point, Fence(), POINT), "submitter")
    wait_class([(syncobj, POINT)], WaitFlags.AVAILABLE).run(now_ns() + NS_PER_S)


BUG = Bug(
    name="syncobj-available-not-registered",
    title=None,
    fix="8c44ea81634a (syncobj), January 2024; broken by 01d6c3578379; title not known",
    symptom="a wait takes its whole time-out, then reports success; here, that the time is up",
    interleaving="a client looks for the point and does not find it; the point comes, and wakes those on the list;"
    " the client, which never put itself there, goes to sleep",
    repair="put whoever waits for a point to be available on the list too",
    broken=partial(model, PointWaitAsItWas),
    fixed=partial(model, PointWait),
    finds=frozenset({Kind.EXCEPTION}),
)
