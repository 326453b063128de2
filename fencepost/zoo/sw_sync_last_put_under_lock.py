"""A callback that put the last reference of its fence, while the signaller held the lock that the release takes."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.sw_sync import SyncPoint, SyncTimeline

__all__ = ["BUG"]


class TimelineAsItWas(SyncTimeline):
    """Signals points that only others hold."""

    def advance(self) -> None:
        with self.lock:
            for point in list(self.points):
                self.unlink_locked(point)
                point.signal_locked()


def model(timeline: SyncTimeline, runtime: Runtime) -> None:
    """Signal a point that a client and a scheduler hold; the scheduler puts its reference in the callback."""
    point: SyncPoint = timeline.point()
    point.get()
    point.callback = point.put
    runtime.spawn(point.put, "client")
    runtime.spawn(timeline.advance, "timeline")


BUG = Bug(
    name="sw-sync-last-put-under-lock",
    title="dma-buf/sw_sync: Avoid recursive lock during fence signal",
    fix="e531fdb5cd5e, August 2023 (R. Clark); reported in July 2020",
    symptom="a CPU waits for a lock that it holds",
    interleaving="the client puts its reference; a step of the timeline signals the point under the timeline's lock;"
    " the scheduler's callback puts the last reference; the release wants that lock",
    repair="move what signals to a list of its own, with a reference, and put that after the lock",
    broken=lambda runtime: model(TimelineAsItWas(), runtime),
    fixed=lambda runtime: model(SyncTimeline(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
