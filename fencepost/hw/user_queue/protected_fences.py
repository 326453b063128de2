"""The kernel fences of a user queue: the device writes a number where users cannot, and an interrupt looks."""

from __future__ import annotations

import errno
from bisect import bisect_right
from collections.abc import Callable

from fencepost.fences import Fence, promise
from fencepost.hw.guc.fence_irq import FenceIrq, Pending
from fencepost.sync import World
from fencepost.sync.tracking import tracked

__all__ = ["ProtectedFences"]


@tracked("_error")
class ProtectedFences(FenceIrq):
    """A timeline whose value is the number of the last protected packet that is complete.

    A fence is made when somebody asks for one: the way of a packet from user to engine needs none. Each is watched from
    then on, whether anybody waits for it or not.

    Life cycle: *open* -> *dead* (`fail_all`): what is pending, and what is asked for later, ends with an error.

    The lock of a `FenceIrq` protects its fields.

    Args:
        watch: called with each new pending fence, without the lock.
    """

    def __init__(self, world: World, name: str, watch: Callable[[Fence], object]) -> None:
        super().__init__(world, name)
        self._watch = watch
        self._error = 0

    def at(self, number: int) -> Fence:
        """Return the fence that stands for the packets up to `number`. Any context."""
        with self._lock:
            numbers = [pending.fence.seqno for pending in self._pending]
            place = bisect_right(numbers, number)
            if place and numbers[place - 1] == number:
                return self._pending[place - 1].fence
            fence = Fence(self.context, number, name=f"{self.name} protected")
            pending = Pending(fence, error=self._error)
            over = number <= self._written
            if over:
                pending.end_ns, pending.error = self._world.now_ns(), 0
            # Among the others, so that it does not signal before an earlier one whose number is noted.
            self._pending.insert(place, pending)
            over = over or bool(self._error)
        if over:
            self.walk()
        else:
            promise(fence, by=self.name)
            self._watch(fence)
        return fence

    def fail_all(self, error: int) -> None:
        """Force completion: the oldest that is not complete ends with `error`, the others with -ECANCELED."""
        with self._lock:
            if self._error:
                return
            self._error = -errno.ECANCELED
            for pending in self._pending:
                if pending.end_ns is None:
                    pending.error, error = error, -errno.ECANCELED
        self.walk()
