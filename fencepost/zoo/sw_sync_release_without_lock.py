"""A software fence that was freed because it was off the list, by its own word.

Both versions are of their time: a step of the timeline signals its points under its lock, and holds no reference of
them.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.refcount import Counted
from fencepost.zoo.sw_sync import SyncPoint, SyncTimeline

__all__ = ["BUG"]


class TimelineOf2019(SyncTimeline):
    """Signals what it reaches before it drops the lock."""

    def advance(self) -> None:
        with self.lock:
            for point in list(self.points):
                self.unlink_locked(point)
                point.signal_locked()


class PointAsItWas(SyncPoint):
    """Takes the lock only to unlink itself."""

    def release(self) -> None:
        if self.linked.load():
            super().release()
        else:
            self.free()


class TimelineAsItWas(TimelineOf2019):
    """With such points."""

    point_class = PointAsItWas


def model(timeline: SyncTimeline, runtime: Runtime) -> None:
    """Drop the last reference of a point while the timeline reaches it."""
    point: Counted = timeline.point()
    runtime.spawn(point.put, "owner")
    runtime.spawn(timeline.advance, "timeline")


BUG = Bug(
    name="sw-sync-release-without-lock",
    title=None,
    fix="d3c6dd1fb30d (sw_sync), August 2019; broken by d3862e44daa7; title not known",
    symptom="use after free of a fence",
    interleaving="a step of the timeline takes the point off the list and is about to signal it; its owner puts the"
    " last reference, sees that the point is on no list, and frees it",
    repair="take the lock of the timeline before looking whether the point is on the list",
    broken=lambda runtime: model(TimelineAsItWas(), runtime),
    fixed=lambda runtime: model(TimelineOf2019(), runtime),
    finds=frozenset({Kind.USE_AFTER_FREE}),
)
