"""Who takes the time that evictions and restores take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from fencepost.actors.dispatch import Dispatch
from fencepost.fences import Fence
from fencepost.hw.memory.blocking_actor import BlockingActor
from fencepost.sync import NS_PER_S, current

__all__ = ["RESTORE", "Evict", "Evictable", "EvictionWorker", "Restore"]


class Evictable(Protocol):
    """A process, as its worker sees it."""

    @property
    def stays_until_ns(self) -> int:
        """Until when it need not leave."""
        ...

    def leave(self, fence: Fence) -> bool:
        """Have its queues off and the fence signalled. Blocks; see `ComputeProcess.leave`."""
        ...

    def bring_back(self) -> None:
        """Have its memory there and its queues on. Blocks; raises OSError where that cannot be now."""
        ...

    def lose(self) -> None:
        """Let nobody wait for an eviction that does not come."""
        ...


@dataclass(frozen=True, slots=True)
class Evict:
    """Eviction fence -> worker: somebody waits."""

    fence: Fence


@dataclass(frozen=True, slots=True)
class Restore:
    """Timer, client -> worker: a process is to be brought back."""


RESTORE = Restore()


class EvictionWorker(BlockingActor):
    """Evicts and restores one process, one at a time: so no eviction begins before a restore has come to its end.

    It blocks. (KFD: the eviction and restore workers)

    Args:
        process: whose queues and memory.
        restore_delay_s: how long it stays evicted at least, and until a restore that failed is tried again.
    """

    def __init__(self, dispatch: Dispatch, name: str, process: Evictable, restore_delay_s: float) -> None:
        super().__init__(dispatch, name)
        self._process = process
        self._delay_ns = round(restore_delay_s * NS_PER_S)

    def restore_later(self) -> None:
        """Bring the process back after the back-off. Never blocks; any context."""
        current().timers.call_at(current().now_ns() + self._delay_ns, lambda: self.post(RESTORE))

    def on_evict(self, message: Evict) -> None:
        """Take the queues off, or come back for that when they have had their time. Blocks."""
        stays_ns = self._process.stays_until_ns
        if current().now_ns() < stays_ns:
            current().timers.call_at(stays_ns, lambda: self.post(message))
        else:
            self._process.leave(message.fence)

    def on_restore(self, _message: Restore) -> None:
        """Bring memory and queues back; come back for that later where it cannot be now. Blocks."""
        try:
            self._process.bring_back()
        except OSError as refused:
            self.log.warning("not restored", why=str(refused))
            self.restore_later()

    messages: ClassVar = {Evict: on_evict, Restore: on_restore}

    def on_stop(self) -> None:
        """Let nobody wait for an eviction that does not come."""
        self._process.lose()

    def on_failure(self, *_: object, **__: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As `on_stop`."""
        self.on_stop()
