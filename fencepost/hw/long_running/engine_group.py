"""Engines that run either work with fences, or work that can fault: never both, since a fault keeps the engine."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from fencepost.actors import Actor
from fencepost.actors.dispatch import Dispatch
from fencepost.fences import Fence
from fencepost.hw.long_running.suspendable import Suspendable
from fencepost.hw.memory import RwLock
from fencepost.sync.tracking import published

__all__ = ["EngineGroup", "GroupLock", "Mode", "ResumeWork"]

SUSPEND_TIMEOUT_S: Final = 5.0


class Mode(enum.Enum):
    """What a group of engines runs."""

    DMA_FENCE = "jobs whose fences others may wait for"
    FAULT = "work that can fault"


class GroupLock(RwLock):
    """Protects the mode of a group. Before the locks of address spaces.

    (kernel: xe_hw_engine_group.mode_sem)
    """

    kind: ClassVar[str] = "GroupLock"


@published("mode")
class EngineGroup:
    """Sees to it that a fence is never behind a fault.

    Who submits holds the lock to read, in the mode it needs; who must change the mode holds it to write. To DMA_FENCE
    that means to suspend all work that can fault, to FAULT to wait for the last fences. A job with fences first waits,
    without the lock, until all it comes after has signalled: that may need the very work that would be suspended.

    The lock protects the mode, who is in the group, and its fences.

    Args:
        name: what reports call it.

    Attributes:
        mode: what it runs now. Any context.
        switches: how often that was changed.

    (kernel: xe_hw_engine_group)
    """

    def __init__(self, name: str = "engines") -> None:
        self.name = name
        self.lock = GroupLock(name)
        self.mode = Mode.DMA_FENCE
        self.switches = 0
        self._queues: list[Suspendable] = []
        self._fences: list[Fence] = []
        self._resume_later: Callable[[], object] = lambda: None

    def resume_by(self, work: ResumeWork) -> None:
        """Have `work` bring the work back that can fault. Before anything is submitted."""
        self._resume_later = lambda: work.post(ResumeFaulting(self))

    # Who submits. Client context; all of these block.

    def add(self, queue: Suspendable) -> None:
        """Let a queue into the group whose work can fault. It runs from now on, in turn with what has fences."""
        with self.lock.write():
            self._queues.append(queue)
            if self.mode is Mode.DMA_FENCE:
                queue.suspend()
        self._resume_later()

    def remove(self, queue: Suspendable) -> None:
        """Let a queue go, which has nothing more to run."""
        with self.lock.write():
            self._queues.remove(queue)

    def submit(self, push: Callable[[], Fence], after: Sequence[Fence] = ()) -> Fence:
        """Submit a job with a fence.

        Args:
            push: arms, publishes and pushes it, and returns its fence; called with the lock held.
            after: what it comes after.
        """
        self.wait_first(after)
        with self.lock.read():
            if self.mode is Mode.DMA_FENCE:
                return self._push_locked(push)
        with self.lock.write():
            self._to_fences_locked()
            return self._push_locked(push)

    def resume(self) -> None:
        """Run the work that can fault, once the last fence has signalled."""
        with self.lock.write():
            if self._queues and self.mode is Mode.DMA_FENCE:
                for fence in self._fences:
                    fence.wait()
                self._fences.clear()
                self._set_locked(Mode.FAULT)
                for queue in self._queues:
                    queue.resume()

    # The steps.

    def wait_first(self, after: Sequence[Fence]) -> None:
        """Wait for what a job comes after, holding nothing."""
        for fence in after:
            fence.wait()

    def _to_fences_locked(self) -> None:
        """Have nothing on the engines that can fault."""
        if self.mode is Mode.DMA_FENCE:
            return
        self._set_locked(Mode.DMA_FENCE)
        suspended = [(queue, queue.suspend()) for queue in self._queues]
        for queue, off in suspended:
            if not off.wait(timeout_s=SUSPEND_TIMEOUT_S):
                queue.kill()
                off.wait()

    def _push_locked(self, push: Callable[[], Fence]) -> Fence:
        fence = push()
        # Several that read may do this at a time: each is one operation.
        self._fences.append(fence)
        self._resume_later()
        return fence

    def _set_locked(self, mode: Mode) -> None:
        self.mode = mode
        self.switches += 1

    def __repr__(self) -> str:
        return f"<{self.name}, {self.mode.name}>"


@dataclass(frozen=True, slots=True)
class ResumeFaulting:
    """Who submitted a job with a fence -> work: go back when it is complete."""

    group: EngineGroup


class ResumeWork(Actor):
    """Brings work back that was suspended for a fence. It blocks, so it needs the thread dispatch."""

    def __init__(self, dispatch: Dispatch, name: str, group: EngineGroup) -> None:
        super().__init__(dispatch, name)
        group.resume_by(self)

    def on_resume(self, message: ResumeFaulting) -> None:
        """Wait for the last fence, and go back."""
        message.group.resume()

    messages: ClassVar = {ResumeFaulting: on_resume}
