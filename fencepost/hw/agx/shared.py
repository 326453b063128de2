"""The memory by which a halted firmware and the driver talk."""

from __future__ import annotations

from dataclasses import dataclass

from fencepost.hw.agx.result import Result
from fencepost.hw.agx.word import Word
from fencepost.sync import WaitQueue

__all__ = ["Halt", "PendingStamp", "Shared"]


@dataclass(frozen=True, slots=True)
class Halt:
    """Why the GPU was halted, as far as the firmware can tell.

    Attributes:
        number: 1 for the first halt of the device.
        time_ns: when.
        result: what it was: TIMEOUT, FAULT or CHANNEL_ERROR.
        slot: the event slot of the command, where that is known.
        vm: whose address faulted, where that is known.
        address: which, where that is known.
    """

    number: int
    time_ns: int
    result: Result
    slot: int | None = None
    vm: str | None = None
    address: int | None = None


@dataclass(frozen=True, slots=True)
class PendingStamp:
    """A command that was on the hardware: the event slot, and the stamp that it would have written."""

    slot: int
    value: int


class Shared:
    """What the halt cycle needs: *running* -> *halted* (by the firmware) -> *resumed* (by the driver).

    What is no `Word` is written by the firmware before `halted`, and read by the driver after it.

    Attributes:
        halted: 1 while everything stands still. Set by the firmware, cleared by the driver.
        resumes: how often the firmware has gone on.
        answers: how often it has answered.
        halt: why it halted.
        pending: what was on the hardware.
        changed: woken when one of the words was written.
    """

    def __init__(self) -> None:
        self.halted = Word()
        self.resumes = Word()
        self.answers = Word()
        self.halt: Halt | None = None
        self.pending: tuple[PendingStamp, ...] = ()
        self.changed = WaitQueue("the firmware")
