"""What an eviction needs to know of a device."""

from __future__ import annotations

from typing import Protocol

from fencepost.sync import Gate

__all__ = ["DeviceQueues"]


class DeviceQueues(Protocol):
    """The queues of a process on one device. `hw.user_queue.Process` is one.

    Each is known by itself, not by its name.
    """

    def hold(self) -> Gate:
        """Take them off the hardware until `release`, and those that are made meanwhile; opens when they are off.

        Counted. Never blocks; any context. It may never open, when the device hangs.
        """
        ...

    def release(self) -> object:
        """Undo one `hold`. Never blocks; any context."""
        ...
