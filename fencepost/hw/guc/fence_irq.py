"""The hardware fences of a queue: engines write numbers to memory, and an interrupt looks which fences that reaches."""

from __future__ import annotations

from dataclasses import dataclass

from fencepost.actors.job import HardwareFence
from fencepost.fences import Fence, context_alloc
from fencepost.sync import World
from fencepost.sync.tracking import tracked

__all__ = ["FenceIrq"]


@dataclass(slots=True, eq=False)
class Pending:
    """A fence that has not signalled, and what is known of its job meanwhile."""

    fence: Fence
    end_ns: int | None = None
    error: int = 0


@tracked("_issued", "_stopped", "_walking", "_written")
class FenceIrq:
    """Signals the fences whose number was written, or whose job was given an error, oldest first.

    While it is stopped nobody becomes complete: the recovery decides in peace who is. What was written meanwhile counts
    when it is started, which looks at once. (kernel: xe_hw_fence_irq. That one is for a class of engines; one for each
    queue holds up nobody else.)

    `_lock` protects all fields; a leaf. Fences are signalled after it was dropped, by one task at a time.
    """

    def __init__(self, world: World, name: str) -> None:
        self.context = context_alloc()
        self.name = name
        self._world = world
        self._lock = world.lock()
        self._issued = self._written = 0
        # A list: there are few, and an empty deque is ten times as big.
        self._pending: list[Pending] = []
        self._stopped = self._walking = False

    def fence(self) -> HardwareFence:
        """Make the next fence. By the queue."""
        with self._lock:
            self._issued += 1
            fence = HardwareFence(self.context, self._issued, name=f"{self.name} hardware")
            # It is told of each stretch; a job that never runs has none.
            fence.executed_ns = 0
            self._pending.append(Pending(fence))
        return fence

    def write(self, seqno: int, end_ns: int) -> None:
        """Note that an engine has written `seqno`, and interrupts. Any context."""
        self.note(seqno, end_ns)
        self.walk()

    def note(self, seqno: int, end_ns: int) -> None:
        """Note that an engine has written `seqno`; `walk` is to follow. Any context, also under the engine's lock."""
        with self._lock:
            self._written = max(self._written, seqno)
            for pending in self._pending:
                if pending.fence.seqno > seqno:
                    break
                pending.end_ns = end_ns if pending.end_ns is None else pending.end_ns

    def complete(self, fence: Fence) -> bool:
        """Say whether the job of a fence has written its number, signalled or not. Any context."""
        with self._lock:
            return fence.seqno <= self._written

    def fail(self, fence: Fence, error: int) -> None:
        """Give a job that is not complete an error; its fence signals at the next look. Any context."""
        with self._lock:
            for pending in self._pending:
                if pending.fence is fence and pending.end_ns is None:
                    pending.error = error

    def end(self, fence: Fence, error: int) -> None:
        """Signal a fence now, whether stopped or not: with `error`, unless it was complete. Any context."""
        with self._lock:
            found = [pending for pending in self._pending if pending.fence is fence]
            for pending in found:
                self._pending.remove(pending)
        for pending in found:
            self._signal(pending if pending.end_ns is not None else Pending(fence, None, error))

    def stop(self) -> None:
        """Let nobody become complete. Any context."""
        with self._lock:
            self._stopped = True

    def start(self) -> None:
        """Go on, and look at once. Any context."""
        with self._lock:
            self._stopped = False
        self.walk()

    def walk(self) -> None:
        """Signal what can be. Any context; another task that is about it does it all."""
        with self._lock:
            if self._walking:
                return
            self._walking = True
        while due := self._take_due():
            for pending in due:
                self._signal(pending)

    def _take_due(self) -> list[Pending]:
        """Take what is to be signalled; nothing gives the turn up."""
        with self._lock:
            due: list[Pending] = []
            if not self._stopped:
                due = [each for each in self._pending if each.end_ns is not None or each.error]
            for pending in due:
                self._pending.remove(pending)
            self._walking = bool(due)
        return due

    def _signal(self, pending: Pending) -> None:
        try:
            pending.fence.signal(pending.error, timestamp_ns=pending.end_ns)
        except Exception as error:  # noqa: BLE001 - a callback's; the other fences signal all the same
            self._world.failures.append(error)
