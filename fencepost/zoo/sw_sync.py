"""A software timeline whose fences hold its lock: the kernel's sw_sync, for the bugs of giving them back.

`fencepost.fences.Timeline` has none of this: nobody counts references there, and its fences do not know it.
"""

from __future__ import annotations

from collections.abc import Callable

from fencepost.sync import current
from fencepost.zoo.cell import Cell
from fencepost.zoo.refcount import Counted

__all__ = ["SyncPoint", "SyncTimeline"]


class SyncPoint(Counted):
    """A fence at the next value of the timeline. Its reference belongs to whoever asked for it."""

    def __init__(self, timeline: SyncTimeline) -> None:
        super().__init__("point")
        self.timeline = timeline
        self.linked = Cell("link of the point", value=True)
        self.callback: Callable[[], object] | None = None

    def release(self) -> None:
        with self.timeline.lock:
            if self.linked.load():
                self.timeline.unlink_locked(self)
        self.free()

    def signal_locked(self) -> None:
        """Run the callback, with the timeline's lock held."""
        self.touch()
        if self.callback is not None:
            self.callback()


class SyncTimeline:
    """A counter and the points it has not reached.

    `lock` protects the points and their links, and is the lock of every point.
    """

    point_class: type[SyncPoint] = SyncPoint

    def __init__(self) -> None:
        self.lock = current().lock()
        self.points: list[SyncPoint] = []

    def point(self) -> SyncPoint:
        """Make a point at the next value."""
        with self.lock:
            point = self.point_class(self)
            self.points.append(point)
            return point

    def unlink_locked(self, point: SyncPoint) -> None:
        """Take a point off the list."""
        self.points.remove(point)
        point.linked.store(value=False)

    def advance(self) -> None:
        """Reach the next value, and signal what waits for it."""
        reached: list[SyncPoint] = []
        with self.lock:
            for point in list(self.points):
                if not self.hold(point):
                    continue
                self.unlink_locked(point)
                reached.append(point)
                point.signal_locked()
        for point in reached:
            point.put()

    def hold(self, point: SyncPoint) -> bool:
        """Keep a point until the lock is dropped; False for one that is going, and will unlink itself."""
        return point.get_unless_zero()
