"""The one work queue of all preemptions: it takes queues off the hardware and then says so by their fences."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from fencepost.actors import Actor
from fencepost.actors.dispatch import Dispatch
from fencepost.sync import NS_PER_S, current
from fencepost.sync.observer import signalling

if TYPE_CHECKING:
    from fencepost.hw.long_running.member import Member

__all__ = ["ACK_TIMEOUT_S", "Admit", "Dismiss", "Preempt", "PreemptWork"]

ACK_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Admit:
    """Member -> work: here is one that may have to leave."""

    member: Member


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Address space -> work: here is one that has gone."""

    member: Member


@dataclass(frozen=True, slots=True)
class Preempt:
    """Preempt fence -> work: somebody waits for the queue to leave the hardware."""

    member: Member


@dataclass(frozen=True, slots=True)
class Left:
    """Hardware, timer -> work: the queue has left, or `error` says why nobody knows."""

    member: Member
    number: int
    error: int


class PreemptWork(Actor):
    """Carries out preemptions in the order in which they were asked for; their fences signal as the queues leave.

    `rt.start(PreemptWork, name="preempt work")`, one for a device. Fences of others wait for it, so all it does is a
    signalling section: no lock of an address space, no memory. It never blocks either: one queue that will not leave
    keeps no other one. A fence whose queue does not say in time that it has left signals all the same, with an error.
    (kernel: xe's preempt_fence_wq)

    Args:
        ack_timeout_s: how long a queue may take to leave.
    """

    signals: ClassVar = True

    def __init__(self, dispatch: Dispatch, name: str, ack_timeout_s: float = ACK_TIMEOUT_S) -> None:
        super().__init__(dispatch, name)
        self._ack_timeout_ns = round(ack_timeout_s * NS_PER_S)
        self.before_preempt: Callable[[Member], object] = _nothing
        self._members: dict[Member, None] = {}

    def on_admit(self, message: Admit) -> None:
        """Get to know a queue."""
        self._members[message.member] = None

    def on_dismiss(self, message: Dismiss) -> None:
        """Forget a queue."""
        self._members.pop(message.member, None)

    def on_preempt(self, message: Preempt) -> None:
        """Have the queue leave."""
        member = message.member
        self.before_preempt(member)
        number = member.number_of_preemption = member.number_of_preemption + 1
        off = member.queue.suspend()
        world = current()
        timeout = Left(member, number, -errno.ETIME)
        member.timer = world.timers.call_at(world.now_ns() + self._ack_timeout_ns, lambda: self.post(timeout))
        if not off.add_callback(lambda fence: self.post(Left(member, number, fence.error))):
            self.on_left(Left(member, number, off.error))

    def on_left(self, message: Left) -> None:
        """Signal its fence, and have its memory brought back. What comes second, or late, is ignored."""
        member = message.member
        if member.timer is None or message.number != member.number_of_preemption:
            return
        member.timer.cancel()
        member.timer = None
        member.preemption.suspended(message.error)
        member.left()

    messages: ClassVar = {Admit: on_admit, Dismiss: on_dismiss, Preempt: on_preempt, Left: on_left}

    def on_stop(self) -> None:
        """Let nobody wait for a preemption that does not come: nothing runs any more."""
        for member in self._members:
            lose(member)

    def on_failure(self, *_: object, **__: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As `on_stop`."""
        self.on_stop()

    def on_dead_letter(self, message: object) -> None:
        """Let nobody wait for one that joins too late. Who asks too late is told by the fence, which was lost."""
        if isinstance(message, Admit):
            lose(message.member)


def lose(member: Member) -> None:
    """Have the fence of a queue signal at once, now or later."""
    with signalling():
        member.preemption.lose()


def _nothing(_member: Member) -> None:
    """Do nothing before."""
