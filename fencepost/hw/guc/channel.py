"""The channel from the driver to the firmware: room in two rings, and what happens when there is none."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fencepost.hw.guc.messages import Reply, ToFirmware
from fencepost.sync import Timer, World
from fencepost.sync.tracking import published, tracked

__all__ = ["FIRST_SLEEP_S", "LAST_SLEEP_S", "Channel", "ChannelStatistics", "Request"]

FIRST_SLEEP_S: Final = 0.001
LAST_SLEEP_S: Final = 0.512
"""A sender that finds no room looks again after 1, 2, 4 ... 512 ms; then the channel is broken."""


@dataclass(frozen=True, slots=True)
class Request:
    """Channel -> firmware: a message. `epoch` is the channel's when it was sent."""

    message: ToFirmware
    epoch: int


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """What a channel holds.

    Attributes:
        unread: messages that the firmware has not taken.
        expected: replies that it owes, for which room is reserved.
        waiting: messages that wait for room.
        broken: whether one waited in vain.
    """

    unread: int
    expected: int
    waiting: int
    broken: bool


@published("epoch")
@tracked("_broken", "_reserved", "_sleep_s", "_stopped", "_timer", "_unread")
class Channel:
    """Carries messages to the firmware, in order. Sending never blocks: what finds no room waits in the channel.

    Each message takes room in the ring to the firmware until that takes it out; and for each reply that it is owed
    room is reserved in the ring back, until the reply was handled. So the firmware can always answer.

    Life cycle: *open* <-> *stopped* (what is sent is lost); *broken* (nothing goes any more, until it is stopped and
    opened again).

    `_lock` protects all fields; `deliver` is called under it and may only post. Any context.

    Attributes:
        epoch: how often it was stopped and started.

    Args:
        world: gives the lock and the timers.
        deliver: hands a message to the firmware.
        break_: is called once when the channel is broken, without a lock.
        room: for how many messages to the firmware.
        reply_room: for how many replies.
    """

    def __init__(
        self,
        world: World,
        deliver: Callable[[Request], object],
        break_: Callable[[], object],
        *,
        room: int,
        reply_room: int,
    ) -> None:
        self._world = world
        self._deliver = deliver
        self._break = break_
        self._room = room
        self._reply_room = reply_room
        self._lock = world.lock()
        self._waiting: deque[ToFirmware] = deque()
        self._expected: Counter[Reply] = Counter()
        self._reserved = self._unread = self.epoch = 0
        self._sleep_s = FIRST_SLEEP_S
        self._timer: Timer | None = None
        self._stopped = self._broken = False

    def send(self, message: ToFirmware, epoch: int | None = None) -> None:
        """Send a message, or keep it until there is room. While stopped it is lost: the recovery begins anew.

        `epoch` is that in which the room for its reply was reserved: in another it is lost too.
        """
        with self._lock:
            if self._stopped or self._broken or epoch not in (None, self.epoch):
                return
            self._waiting.append(message)
            if self._timer is None:
                self._flush_locked()

    def taken(self, epoch: int) -> None:
        """Note that the firmware has taken a message out. Those who wait for room find out when they look again."""
        with self._lock:
            if epoch == self.epoch:
                self._unread -= 1

    def replied(self, reply: Reply) -> bool:
        """Free the room that was reserved for a reply, and use it; False when no such reply was expected."""
        with self._lock:
            if not self._expected[reply]:
                return False
            self._expected[reply] -= 1
            if not self._expected[reply]:
                del self._expected[reply]
            self._reserved -= 1
            if self._waiting and not self._broken:
                self._flush_locked()
        return True

    def stop(self) -> None:
        """Lose what is under way, and what is sent from now on."""
        with self._lock:
            self.epoch += 1
            self._stopped = True
            self._waiting.clear()
            self._expected.clear()
            self._reserved = self._unread = 0
            self._cancel_timer_locked()

    def start(self) -> None:
        """Be empty, and carry messages again."""
        with self._lock:
            self.epoch += 1
            self._stopped = self._broken = False

    def statistics(self) -> ChannelStatistics:
        """Return what it holds."""
        with self._lock:
            return ChannelStatistics(self._unread, self._reserved, len(self._waiting), self._broken)

    def _flush_locked(self) -> None:
        """Send what there is room for; come back for the rest."""
        sent = False
        while self._waiting and self._fits_locked(self._waiting[0]):
            self._transmit_locked(self._waiting.popleft())
            sent = True
        if sent or self._timer is None:
            self._sleep_s = FIRST_SLEEP_S
        self._cancel_timer_locked()
        if self._waiting:
            self._sleep_locked()

    def _fits_locked(self, message: ToFirmware) -> bool:
        return self._unread < self._room and self._reserved + len(message.replies) <= self._reply_room

    def _transmit_locked(self, message: ToFirmware) -> None:
        self._unread += 1
        self._reserved += len(message.replies)
        self._expected.update(message.replies)
        self._deliver(Request(message, self.epoch))

    def _sleep_locked(self) -> None:
        when_ns = self._world.now_ns() + round(self._sleep_s * 1e9)
        self._timer = self._world.timers.call_at(when_ns, self._look_again)

    def _cancel_timer_locked(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _look_again(self) -> None:
        """See whether there is room now. Irq context."""
        with self._lock:
            # What was sent meanwhile may have armed another timer.
            if not self._waiting or self._stopped:
                return
            fits = self._fits_locked(self._waiting[0])
            breaks = not fits and self._sleep_s >= LAST_SLEEP_S
            if breaks:
                self._broken = True
                self._waiting.clear()
                self._cancel_timer_locked()
            else:
                self._sleep_s = FIRST_SLEEP_S if fits else 2 * self._sleep_s
                self._flush_locked()
        if breaks:
            self._break()
