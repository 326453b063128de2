"""A timeline that took references of points which had none left."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.sw_sync import SyncPoint, SyncTimeline

__all__ = ["BUG"]


class TimelineAsItWas(SyncTimeline):
    """Takes what is on the list for alive."""

    def hold(self, point: SyncPoint) -> bool:
        point.get()
        return True


def model(timeline: SyncTimeline, runtime: Runtime) -> None:
    """Drop the last reference of a point while the timeline reaches it."""
    point = timeline.point()
    runtime.spawn(point.put, "owner")
    runtime.spawn(timeline.advance, "timeline")


BUG = Bug(
    name="sw-sync-get-of-dying-point",
    title=None,
    fix="open: a patch of 24 March 2024 (T. Cascardo), not merged",
    symptom="a warning that a reference count went up from zero, then a second release",
    interleaving="the owner puts the last reference; before the release has the timeline's lock, a step of the timeline"
    " finds the point on the list and takes a reference",
    repair="let the list hold references of its own, or take one only where there is one left",
    broken=lambda runtime: model(TimelineAsItWas(), runtime),
    fixed=lambda runtime: model(SyncTimeline(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
