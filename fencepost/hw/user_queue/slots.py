"""The rule by which hardware slots are shared out among queues when there are more queues than slots."""

from __future__ import annotations

from collections.abc import Iterable

from fencepost.hw.arbiter import Arbiter
from fencepost.hw.user_queue.mqd import Mqd

__all__ = ["Slots"]

NS_PER_US = 1000


class Slots:
    """Which queues have a slot, and who is to give one back.

    The most important queue that has work gets a slot, among equals the one that waits longest. When none is free, one
    is taken from a queue that has nothing to execute, else from a less important one, else from an equal that has had
    it for a quantum. One at a time. Belongs to the firmware's actor; no locks, no clock.

    Args:
        count: how many there are.

    Attributes:
        taken: the queues that have one, in the order in which they got it.
    """

    def __init__(self, count: int) -> None:
        self.taken: dict[Mqd, None] = {}
        self._count = count
        self._waiting = Arbiter[Mqd]()

    def enter(self, mqd: Mqd) -> None:
        """Let a queue wait for a slot, unless it does or has one."""
        if mqd.turn is None and mqd not in self.taken:
            self._waiting.enter(mqd)

    def leave(self, mqd: Mqd) -> None:
        """Let a queue have no slot and wait for none."""
        self.taken.pop(mqd, None)
        self._waiting.leave(mqd)

    def reorder(self, mqd: Mqd) -> None:
        """Take note that the importance of a queue has changed."""
        if mqd.turn is not None:
            self._waiting.leave(mqd)
            self._waiting.enter(mqd)

    def give(self, now_ns: int) -> Mqd | None:
        """Give a free slot to who is to have it, and return that queue; None when there is none, or nobody waits."""
        first = self._waiting.first()
        if first is None or len(self.taken) >= self._count:
            return None
        self._waiting.leave(first)
        first.since_ns = now_ns
        self.taken[first] = None
        return first

    @property
    def short(self) -> bool:
        """True when somebody waits, and nobody is about to give a slot back."""
        return self._waiting.first() is not None and not any(mqd.leaving for mqd in self.taken)

    def victim(self, now_ns: int) -> Mqd | None:
        """Return who is to give its slot to the first that waits; None when that has to be patient. While short."""
        first = self._waiting.first()
        assert first is not None
        idle = next((mqd for mqd in self.taken if mqd.idle), None)
        if idle is not None:
            return idle
        least = max(self.taken, key=_importance, default=None)
        if least is not None and least.priority > first.priority:
            return least
        return next((mqd for mqd in self._equals(first) if _quantum_end_ns(mqd) <= now_ns), None)

    def decision_ns(self) -> int | None:
        """Return when a quantum ends that the first waits for; None for never. While short, and without a victim."""
        first = self._waiting.first()
        assert first is not None
        return min(map(_quantum_end_ns, self._equals(first)), default=None)

    def _equals(self, first: Mqd) -> Iterable[Mqd]:
        return (mqd for mqd in self.taken if mqd.priority == first.priority and mqd.policies.quantum_us)


def _importance(mqd: Mqd) -> tuple[int, int]:
    """Order queues: the least important last, among equals the one that came last."""
    return mqd.priority, mqd.since_ns


def _quantum_end_ns(mqd: Mqd) -> int:
    return mqd.since_ns + round(mqd.policies.quantum_us * NS_PER_US)
