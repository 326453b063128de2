"""How often the queues of a process are evicted, on each device."""

from __future__ import annotations

import errno

from fencepost.hw.eviction.device_queues import DeviceQueues
from fencepost.sync import Gate, current
from fencepost.sync.tracking import tracked

__all__ = ["EvictionCounts"]


@tracked("_everywhere")
class EvictionCounts:
    """The evictions of a process that are not undone, on all devices and on single ones.

    Queues run on a device while both counts are 0. What begins on all devices is undone on all of them; a device that
    joins in between is evicted as often as the others. Never blocks; any context.

    `_lock` protects the counts, and that devices hear of changes in that order; before their inboxes.
    (KFD: the counts of evictions in the devices of a process)

    Args:
        name: whose, as reports call it.
        everywhere: how often it is evicted at first.
    """

    def __init__(self, name: str, everywhere: int = 0) -> None:
        self._name = name
        self._lock = current().lock()
        self._everywhere = everywhere
        self._alone: dict[DeviceQueues, int] = {}

    def join(self, queues: DeviceQueues) -> None:
        """Know a device. Raises OSError EEXIST when it is known."""
        with self._lock:
            if queues in self._alone:
                raise OSError(errno.EEXIST, f"{queues!r} has joined {self._name} before")
            self._alone[queues] = 0
            for _ in range(self._everywhere):
                queues.hold()

    def evict(self) -> list[Gate]:
        """Take the queues off all devices; all gates are open when they are."""
        with self._lock:
            self._everywhere += 1
            return [queues.hold() for queues in self._alone]

    def restore(self) -> None:
        """Undo one `evict`. Raises OSError EINVAL when there is none."""
        with self._lock:
            if not self._everywhere:
                raise OSError(errno.EINVAL, f"{self._name} is to be restored, and is not evicted")
            self._everywhere -= 1
            for queues in self._alone:
                queues.release()

    def evict_on(self, queues: DeviceQueues) -> Gate:
        """Take the queues off one device; opens when they are. Raises OSError ENODEV for those of another process."""
        with self._lock:
            self._alone[queues] = self._alone_locked(queues) + 1
            return queues.hold()

    def restore_on(self, queues: DeviceQueues) -> None:
        """Undo one `evict_on`.

        Raises OSError EINVAL when there is none, whatever else keeps them off; ENODEV for those of another process.
        """
        with self._lock:
            alone = self._alone_locked(queues)
            if not alone:
                said = f"{queues!r} of {self._name} is to be restored, and is not evicted on that device alone"
                raise OSError(errno.EINVAL, said)
            self._alone[queues] = alone - 1
            queues.release()

    def on(self, queues: DeviceQueues) -> int:
        """Say how often they are evicted. Raises OSError ENODEV for those of another process."""
        with self._lock:
            return self._everywhere + self._alone_locked(queues)

    def _alone_locked(self, queues: DeviceQueues) -> int:
        alone = self._alone.get(queues)
        if alone is None:
            raise OSError(errno.ENODEV, f"{queues!r} is not of {self._name}")
        return alone
