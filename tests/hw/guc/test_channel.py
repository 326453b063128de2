"""Room in both directions, and what happens when there is none."""

from __future__ import annotations

import pytest

from fencepost import Runtime
from fencepost.hw.guc.channel import Channel, Request
from fencepost.hw.guc.messages import (
    ContextId,
    Deregister,
    DeregisterDone,
    ScheduleContext,
    ScheduleDisable,
    ScheduleDone,
    ScheduleEnable,
    ToFirmware,
)

ONE = ContextId(1, 1)
KICK = ScheduleContext(ONE)
ENABLE = ScheduleEnable(ONE)
LAST = 1.023
"""1 + 2 + 4 ... + 512 ms."""


class Wire:
    """A channel whose messages nobody takes."""

    def __init__(self, rt: Runtime, room: int = 10, reply_room: int = 10) -> None:
        self.sent: list[ToFirmware] = []
        self.breaks: list[int] = []
        self.channel = Channel(
            rt.world,
            self.deliver,
            lambda: self.breaks.append(rt.world.now_ns()),
            room=room,
            reply_room=reply_room,
        )

    def deliver(self, request: Request) -> None:
        self.sent.append(request.message)

    def send(self, *messages: ToFirmware) -> None:
        for message in messages:
            self.channel.send(message)


def test_each_reply_has_its_room_until_it_was_handled(rt: Runtime) -> None:
    wire = Wire(rt)
    wire.send(KICK, ENABLE, ScheduleDisable(ONE, deregister_next=True))
    assert wire.channel.statistics().expected == 3
    for reply in (ScheduleDone(ONE, enabled=True), ScheduleDone(ONE, enabled=False), DeregisterDone(ONE)):
        assert wire.channel.replied(reply)
    assert wire.channel.statistics().expected == 0


def test_the_second_request_of_two_takes_no_room_for_its_reply(rt: Runtime) -> None:
    wire = Wire(rt, reply_room=2)
    wire.send(ScheduleDisable(ONE, deregister_next=True))
    assert wire.channel.replied(ScheduleDone(ONE, enabled=False))
    wire.send(Deregister(ONE, reserved=True))
    assert wire.sent[-1] == Deregister(ONE, reserved=True)
    assert wire.channel.statistics().expected == 1


def test_a_reply_that_nobody_expects_gives_nothing_back(rt: Runtime) -> None:
    wire = Wire(rt)
    wire.send(ENABLE)
    assert not wire.channel.replied(ScheduleDone(ONE, enabled=False))
    assert wire.channel.replied(ScheduleDone(ONE, enabled=True))
    assert not wire.channel.replied(ScheduleDone(ONE, enabled=True))
    assert wire.channel.statistics().expected == 0


def test_without_room_for_a_reply_a_message_waits_until_one_was_handled(rt: Runtime) -> None:
    wire = Wire(rt, reply_room=1)
    other = ScheduleEnable(ContextId(2, 1))
    wire.send(ENABLE, other, KICK)
    assert wire.sent == [ENABLE], "in order: the kick needs no room, and waits too"
    wire.channel.replied(ScheduleDone(ONE, enabled=True))
    assert wire.sent == [ENABLE, other, KICK]


def test_without_room_for_itself_a_message_is_looked_after_later_and_later(rt: Runtime) -> None:
    wire = Wire(rt, room=1)
    wire.send(KICK, ENABLE)
    rt.world.sleep(0.0065)
    wire.channel.taken(0)
    assert wire.sent == [KICK]
    rt.world.sleep_until(6_900_000)
    assert wire.sent == [KICK]
    rt.world.sleep_until(7_100_000)
    assert wire.sent == [KICK, ENABLE], "after 1 + 2 + 4 ms"


@pytest.mark.parametrize("room", [(1, 10), (10, 1)])
def test_a_message_that_waits_in_vain_breaks_the_channel(rt: Runtime, room: tuple[int, int]) -> None:
    wire = Wire(rt, *room)
    wire.send(ENABLE, ScheduleEnable(ContextId(2, 1)))
    rt.world.sleep(2)
    assert wire.breaks == [round(LAST * 1e9)]
    assert wire.channel.statistics().broken
    wire.send(KICK)
    assert wire.sent == [ENABLE]
    wire.channel.stop()
    wire.channel.start()
    wire.send(KICK)
    assert wire.sent == [ENABLE, KICK]


def test_while_stopped_everything_is_lost_and_nothing_is_owed(rt: Runtime) -> None:
    wire = Wire(rt, room=1)
    wire.send(ENABLE, KICK)
    wire.channel.stop()
    wire.send(KICK)
    rt.world.sleep(2)
    assert wire.breaks == []
    wire.channel.start()
    wire.channel.taken(0)
    statistics = wire.channel.statistics()
    assert (statistics.unread, statistics.expected, statistics.waiting) == (0, 0, 0)
    assert wire.sent == [ENABLE]
