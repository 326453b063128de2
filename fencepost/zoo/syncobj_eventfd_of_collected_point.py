"""An eventfd for a point so long complete that no fence was left of it."""

from __future__ import annotations

import os
from functools import partial
from typing import cast

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence, FenceChain, Syncobj, register_eventfd
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class SyncobjAsItWas(Syncobj):
    """Takes what is found for a fence, also where that is nothing."""

    @staticmethod
    def fence_at(head: Fence, point: int) -> Fence:
        assert isinstance(head, FenceChain)
        return cast("Fence", head.find_seqno(point))


def model(syncobj_class: type[Syncobj], runtime: Runtime) -> None:
    """Register an eventfd for a point that signals and is collected."""
    syncobj, first, second = syncobj_class(), Fence(name="first"), Fence(name="second")
    syncobj.add_point(first, 1)
    device = runtime.spawn(first.signal, "device")
    submitter = runtime.spawn(partial(syncobj.add_point, second, 2), "submitter")
    eventfd = os.eventfd(0, os.EFD_NONBLOCK)
    try:
        register_eventfd(syncobj, eventfd, 1)
        device.join()
        submitter.join()
        assert os.eventfd_read(eventfd) == 1
    finally:
        os.close(eventfd)
        second.signal()


BUG = Bug(
    name="syncobj-eventfd-of-collected-point",
    title="handle NULL fence in syncobj_eventfd_entry_func",
    fix="February 2024, among the fixes for 6.8-rc6; its commit, 2aa6f5b0fd05, is not verified",
    symptom="the kernel follows a pointer to nothing",
    interleaving="the point signals; a submission finds it complete and drops it from the chain; the registration"
    " looks it up, is told that there is nothing to wait for, and adds its callback to that",
    repair="take a fence that has signalled where there is none left",
    broken=partial(model, SyncobjAsItWas),
    fixed=partial(model, Syncobj),
    finds=frozenset({Kind.EXCEPTION}),
)
