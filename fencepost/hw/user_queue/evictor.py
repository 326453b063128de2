"""Who takes queues off the hardware when somebody wants their memory, and brings them back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from fencepost.actors import Actor
from fencepost.actors.dispatch import Dispatch
from fencepost.hw.user_queue.messages import Release, Suspend
from fencepost.sync import NS_PER_S, World
from fencepost.sync.observer import signalling

if TYPE_CHECKING:
    from fencepost.hw.user_queue.firmware import Firmware
    from fencepost.hw.user_queue.process import Process

__all__ = ["Admit", "Evict", "Evicted", "Evictor", "Restore"]


@dataclass(frozen=True, slots=True)
class Admit:
    """There is a process that can be evicted."""

    process: Process


@dataclass(frozen=True, slots=True)
class Evict:
    """Somebody waits for the eviction fence of a process."""

    process: Process


@dataclass(frozen=True, slots=True)
class Evicted:
    """The queues of a process are off the hardware."""

    process: Process


@dataclass(frozen=True, slots=True)
class Restore:
    """It is time for a process to get its memory back."""

    process: Process


class Evictor(Actor):
    """The delayed work of evictions and restores, one at a time. Never blocks.

    Nobody knows which memory a user queue uses. So an eviction takes all queues of the process off the device, and only
    then does the fence signal; they come back after a back-off, with a new fence that is there before they run.
    (KFD: the eviction and restore workers)

    Args:
        firmware: of the device.
        world: whose clock it has.
        backoff_us: how long a process stays evicted.
    """

    def __init__(self, dispatch: Dispatch, name: str, firmware: Firmware, world: World, backoff_us: float) -> None:
        super().__init__(dispatch, name)
        self._firmware = firmware
        self._world = world
        self._backoff_ns = round(backoff_us * NS_PER_S / 1e6)
        self._processes: list[Process] = []

    def on_admit(self, message: Admit) -> None:
        """Know a process."""
        self._processes.append(message.process)

    def on_evict(self, message: Evict) -> None:
        """Take the queues off."""
        process = message.process
        self._firmware.post(Suspend(process, lambda: self.post(Evicted(process))))

    def on_evicted(self, message: Evicted) -> None:
        """Signal, and come back later."""
        process = message.process
        with signalling():
            process.preemption.suspended()
        self._world.timers.call_at(self._world.now_ns() + self._backoff_ns, lambda: self.post(Restore(process)))

    def on_restore(self, message: Restore) -> None:
        """Make the next fence, let others find it, and only then let the queues run."""
        process = message.process
        process.preemption.rebind()
        with process.preemption.resuming() as fence:
            process.publish(fence)
            self._firmware.post(Release(process))

    messages: ClassVar = {Admit: on_admit, Evict: on_evict, Evicted: on_evicted, Restore: on_restore}

    def on_stop(self) -> None:
        """Let nobody wait for an eviction that does not come: nothing runs any more."""
        for process in self._processes:
            with signalling():
                process.preemption.lose()

    def on_failure(self, *_: object, **__: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As `on_stop`."""
        self.on_stop()
