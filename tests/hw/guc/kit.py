"""What the tests of the firmware share."""

from __future__ import annotations

from collections.abc import Callable

from fencepost.actors import Job, Runtime
from fencepost.events.kinds import FIRMWARE_MESSAGE
from fencepost.hw.guc import Guc, GucQueue
from fencepost.hw.guc.messages import FromFirmware, ScheduleDone
from fencepost.sync import current

__all__ = ["disabled", "enabled", "ends", "errors", "quiet", "said", "wire"]


def enabled(message: FromFirmware) -> bool:
    """Match the answer to an enable."""
    return isinstance(message, ScheduleDone) and message.enabled


def disabled(message: FromFirmware) -> bool:
    """Match the answer to a disable."""
    return isinstance(message, ScheduleDone) and not message.enabled


def said(kind: type) -> Callable[[FromFirmware], bool]:
    """Match one kind of message."""
    return lambda message: isinstance(message, kind)


def wire(rt: Runtime, queue: GucQueue | None = None, direction: str = "h2g") -> list[str]:
    """List the messages of one direction, of one queue or all."""
    assert rt.events is not None
    number = None if queue is None else queue.context.number
    return [
        message
        for _, _, way, message, guc_id in rt.events.of(FIRMWARE_MESSAGE)
        if way == direction and number in (None, guc_id)
    ]


def ends(*jobs: Job) -> list[float]:
    """Wait for jobs; return when each ended, in ms."""
    for job in jobs:
        assert job.finished.wait(60)
    return [job.finished.timestamp_ns / 1e6 for job in jobs]


def errors(*jobs: Job) -> list[int]:
    """Wait for jobs; return what each ended with."""
    ends(*jobs)
    return [job.finished.error for job in jobs]


def quiet(guc: Guc, protocol_errors: int = 0) -> None:
    """Check that driver and firmware have kept to their protocol, and soon owe each other nothing."""
    current().sleep(0.001)
    assert guc.firmware.violations == []
    assert len(guc.replies.protocol_errors) == protocol_errors, guc.replies.protocol_errors
    channel = guc.channel.statistics()
    assert (channel.unread, channel.expected, channel.waiting) == (0, 0, 0)
