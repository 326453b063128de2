"""A syncobj: a slot for a fence, which can be known and waited for before there is one.

Binary, it holds any fence or none. As a timeline it holds a chain, whose points come with ever higher numbers: a
point is complete when it and all before it have signalled. (kernel: drm_syncobj)
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import Final

from fencepost.fences.awaited_points import AwaitedPoints, Found
from fencepost.fences.chain import FenceChain
from fencepost.fences.fence import Fence, get_stub
from fencepost.fences.interrupt import Interrupt
from fencepost.fences.private_stub import private_stub
from fencepost.fences.publication import publish
from fencepost.fences.syncobj_arguments import check_point
from fencepost.fences.syncobj_flags import WaitFlags
from fencepost.fences.syncobj_wait import PointWait
from fencepost.fences.unwrap import merge
from fencepost.sync.tracking import published
from fencepost.sync.world import NS_PER_S, current, now_ns

__all__ = ["Syncobj"]

SUBMIT_LIMIT_S: Final = 5
"""How long `find_fence` waits for a submission."""


@published("_fence")
class Syncobj:
    """Holds a fence for those who wait, and tells those who wait for one to come.

    Life cycle: *empty* <-> *filled*, again and again. What was found in it stays good whatever happens to it then.

    `_lock` protects changes of the slot, and who waits for a point to come. Under it only the locks of a chain that
    is being made are taken; fences are asked and people told after it was dropped.

    Args:
        name: what reports call it.
    """

    __slots__ = ("_awaited", "_fence", "_lock", "name", "stamp_")

    def __init__(self, name: str = "syncobj") -> None:
        self.name = name
        self._lock = current().lock()
        self._fence: Fence | None = None
        self._awaited = AwaitedPoints()

    @property
    def fence(self) -> Fence | None:
        """What is in the slot: all points of a timeline. Any context."""
        return self._fence

    # Submission. Any context; never blocks.

    def replace(self, fence: Fence | None) -> None:
        """Put `fence` in the place of whatever is there; None empties it.

        (kernel: drm_syncobj_replace_fence)
        """
        if fence is not None:
            publish(fence, self)
        with self._lock:
            # What was there is dropped only after the lock: whoever hears of its end may come back here.
            _before, self._fence = self._fence, fence
            found = [] if fence is None else self._awaited.take(last_point(fence))
        if fence is not None:
            self._tell(found, fence)

    def add_point(self, fence: Fence, point: int) -> None:
        """Add `fence` at a point, after all points so far; a chain is flattened first.

        A point that is not after the last counts as that one. Raises OSError EINVAL for a point beyond 64 bits.
        (kernel: drm_syncobj_add_point)
        """
        check_point(point)
        publish(fence, self)
        leaf = merge(fence) if isinstance(fence, FenceChain) else fence
        with self._lock:
            head = self._fence = FenceChain(leaf, point, self._fence)
            found = self._awaited.take(head.seqno)
        self._tell(found, head)
        # Collects what is complete, so that a timeline that nobody asks does not grow.
        _ = head.prev

    def signal(self) -> None:
        """Put a fence in that has signalled just now."""
        self.replace(private_stub())

    def signal_point(self, point: int) -> None:
        """Add a point that waits for nothing but those before it. Raises as `add_point`."""
        self.add_point(get_stub(), point)

    def reset(self) -> None:
        """Empty it. Who has found a fence in it goes on waiting for that."""
        self.replace(None)

    def transfer(
        self,
        source: Syncobj,
        source_point: int = 0,
        point: int = 0,
        *,
        for_submit: bool = False,
        interrupt: Interrupt | None = None,
    ) -> None:
        """Take over what a point of `source` waits for: into the slot, or at a point, flattened.

        Raises as `find_fence` and `add_point`. (kernel: drm_syncobj_transfer)
        """
        check_point(point)
        fence = source.find_fence(source_point, for_submit=for_submit, interrupt=interrupt)
        if point:
            self.add_point(merge(fence), point)
        else:
            self.replace(fence)

    # What is there. Any context.

    def find(self, point: int = 0) -> Fence | None:
        """Return what to wait for to have `point` complete, 0 being all there is; None when it was not submitted.

        Raises OSError EINVAL for a point beyond 64 bits.
        """
        check_point(point)
        head = self.fence
        return None if head is None or point > last_point(head) else self.fence_at(head, point)

    def find_fence(self, point: int = 0, *, for_submit: bool = False, interrupt: Interrupt | None = None) -> Fence:
        """Return what to wait for to have `point` complete, 0 being all there is.

        Args:
            point: which.
            for_submit: block until it was submitted, for at most 5 s of the world's time.
            interrupt: ends that.

        Raises:
            OSError: EINVAL when the point is not there, or beyond 64 bits. With `for_submit`: ETIME when it did not
                come, EINTR when interrupted. (kernel: drm_syncobj_find_fence)
        """
        fence = self.find(point)
        if fence is not None:
            return fence
        if not for_submit:
            raise self.missing(point)
        wait = PointWait([(self, point)], WaitFlags.FOR_SUBMIT | WaitFlags.AVAILABLE)
        wait.run(now_ns() + SUBMIT_LIMIT_S * NS_PER_S, interrupt=interrupt)
        (found,) = wait.fences
        assert found is not None
        return found

    def query(self, *, last_submitted: bool = False) -> int:
        """Return how far the timeline is complete, or submitted; 0 when it is none. Asks for no signal."""
        head = self.fence
        if not isinstance(head, FenceChain):
            return 0
        return head.seqno if last_submitted else head.last_complete_seqno()

    # Waiting for what is still to come: see `PointWait`.

    def seek(self, point: int, found: Found) -> Fence | None:
        """Return the fence of `point`; when it is not there, have `found` called with it once it is. Any context."""
        with self._lock:
            head = self._fence
            if head is None or point > last_point(head):
                self._awaited.add(point, found)
                return None
        return self.fence_at(head, point)

    def forget(self, point: int, found: Found) -> None:
        """Call `found` no more; a call that is under way may still come. Any context."""
        with self._lock:
            self._awaited.discard(point, found)

    @staticmethod
    def fence_at(head: Fence, point: int) -> Fence:
        """Return what to wait for to have complete a point that `head` has."""
        fence = head.find_seqno(point) if isinstance(head, FenceChain) else head
        # Complete and collected.
        return get_stub() if fence is None else fence

    def missing(self, point: int) -> OSError:
        """Make what is raised where a point must have been submitted."""
        return OSError(errno.EINVAL, f"{self!r} has no fence at point {point}")

    def _tell(self, waiting: Iterable[tuple[int, Found]], head: Fence) -> None:
        """Tell everybody, then raise the first exception there was."""
        failed: BaseException | None = None
        for point, found in waiting:
            try:
                found(self.fence_at(head, point))
            except BaseException as error:  # noqa: BLE001 - the others must hear of the fence all the same
                failed = failed or error
        if failed is not None:
            raise failed

    def __repr__(self) -> str:
        return f"<{self.name}, {self._fence or 'empty'}>"


def last_point(head: Fence) -> int:
    """Return the highest point of what is in a slot. Asks no fence anything."""
    return head.seqno if isinstance(head, FenceChain) else 0
