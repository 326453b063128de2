"""A queue of an address space that gives preempt fences, and the way of that queue off the hardware and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fencepost.fences import Preemption
from fencepost.hw.long_running.preempt_work import Admit, Preempt

if TYPE_CHECKING:
    from fencepost.hw.long_running.preempt_work import PreemptWork
    from fencepost.hw.long_running.suspendable import Suspendable
    from fencepost.sync import Timer

__all__ = ["Member"]


class Member:
    """One queue of a `ComputeVm`. Made by `ComputeVm.join`.

    Attributes:
        queue: which.
        preemption: its fences.
        left: called when its fence has signalled, by the work: it posts, and nothing else.
        timer, number_of_preemption: of the preemption under way. Of the work.
    """

    __slots__ = ("left", "number_of_preemption", "preemption", "queue", "timer")

    def __init__(self, queue: Suspendable, work: PreemptWork, left: Callable[[], object]) -> None:
        self.queue = queue
        self.left = left
        self.timer: Timer | None = None
        self.number_of_preemption = 0
        self.preemption = Preemption(lambda: work.post(Preempt(self)), name=work.name)
        # Before anybody finds its fence: at its end the work will see to it that nobody waits for that.
        work.post(Admit(self))

    def __repr__(self) -> str:
        return f"<{self.queue.name}, {self.preemption.state.value}>"
