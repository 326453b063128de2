"""What the docstrings of the parts of a device say about their locks: nobody touches a field without."""

from __future__ import annotations

import errno
from typing import Final, Self, cast

import pytest

from fencepost import Runtime
from fencepost.checks import explore
from fencepost.errors import BadInput
from fencepost.hw.guc import Guc
from fencepost.hw.guc.channel import Channel, Request
from fencepost.hw.guc.faults import Faults
from fencepost.hw.guc.fence_irq import FenceIrq
from fencepost.hw.guc.hardware import Hardware
from fencepost.hw.guc.messages import ContextId, FromFirmware, ScheduleContext, ScheduleDone, ScheduleEnable
from fencepost.sync import current
from tests.guarding import guarded

ONE = ContextId(1, 1)
KICK = ScheduleContext(ONE)
ENABLED, DISABLED = (ScheduleDone(ONE, enabled=enabled) for enabled in (True, False))
FIRST_SLEEP_S: Final = 0.001


class Engines:
    """What a dead firmware stops."""

    frozen = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def ignore(_request: Request) -> None:
    """Be a firmware that takes what it is sent, and does nothing."""


def test_of_faults() -> None:
    faults = guarded(Faults, "_rules _held _dies_after")
    engines = Engines()
    faults.attach(cast("Hardware", engines))
    told: list[FromFirmware] = []
    faults.reorder(lambda message: message == ENABLED)
    for message in (ENABLED, DISABLED):
        faults.pass_on(message, told.append)
    assert told == [DISABLED, ENABLED]
    faults.kill_firmware(after=1)
    assert (faults.alive(), faults.alive(), engines.frozen) == (True, False, True)
    assert faults.revive()
    assert faults.alive()


@pytest.mark.usefixtures("rt")
def test_of_hardware_fences() -> None:
    irq = guarded(FenceIrq, "_issued _written _pending _stopped _walking", current(), "queue")
    first, second, third = (irq.fence() for _ in range(3))
    irq.stop()
    irq.write(1, 10)
    irq.fail(second, -errno.ETIME)
    irq.end(third, -errno.EIO)
    irq.start()
    assert irq.complete(first)
    assert [fence.error for fence in (first, second, third)] == [0, -errno.ETIME, -errno.EIO]


def test_of_a_channel(rt: Runtime) -> None:
    fields = "_broken _expected _reserved _sleep_s _stopped _timer _unread _waiting"
    breaks: list[None] = []
    channel = guarded(Channel, fields, rt.world, ignore, lambda: breaks.append(None), room=2, reply_room=2)
    for message in (KICK, ScheduleEnable(ONE), KICK):
        channel.send(message)
    channel.taken(channel.epoch)
    assert channel.replied(ENABLED)
    channel.send(KICK)
    rt.world.sleep(2)
    assert channel.statistics().broken
    channel.stop()
    channel.start()
    channel.send(KICK)
    assert (len(breaks), channel.statistics().unread) == (1, 1)


def test_a_channel_that_is_stopped_when_it_looks_for_room_has_nothing_to_send() -> None:
    def model(rt: Runtime) -> None:
        channel = Channel(rt.world, ignore, lambda: None, room=1, reply_room=1)
        channel.send(KICK)
        channel.send(KICK)
        rt.world.sleep(FIRST_SLEEP_S)
        channel.stop()

    report = explore(model, schedules=100)
    assert not report.found, str(report)


def test_of_a_device(rt: Runtime) -> None:
    guc = guarded(Guc, "_queues _free_numbers _made _generation _stopped", {"rcs": 1}, max_contexts=1)
    queue = guc.queue(rt, "rcs")
    queue.entity.submit(1).finished.wait()
    assert guc.queues == (queue,)
    guc.reset("to see it come back")
    rt.world.sleep(1)
    queue.close()
    rt.world.sleep(1)
    assert not guc.queues
    with pytest.raises(BadInput):
        guc.queue(rt, "rcs", credit_limit=0)
    assert guc.queue(rt, "rcs").context.number == queue.context.number
