"""What driver and firmware say to each other."""

from __future__ import annotations

from dataclasses import dataclass

from fencepost.hw.agx.command import Command
from fencepost.hw.agx.misfortune import Misfortune
from fencepost.hw.agx.shared import Halt
from fencepost.hw.agx.work_queue import WorkQueue

__all__ = ["Died", "Garbage", "HaltRequest", "Halted", "Inject", "Kick", "Notice", "Resume", "Tick"]


@dataclass(frozen=True, slots=True)
class Kick:
    """Driver -> firmware: a work queue has commands up to `wptr`, since `time_ns`."""

    queue: WorkQueue
    wptr: int
    time_ns: int


@dataclass(frozen=True, slots=True)
class HaltRequest:
    """Driver -> firmware: if this command still runs it has had its time, so halt; otherwise answer."""

    command: Command | None


@dataclass(frozen=True, slots=True)
class Resume:
    """Driver -> firmware: go on."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Timer -> firmware: something has happened on the hardware."""


@dataclass(frozen=True, slots=True)
class Inject:
    """Client -> firmware: something goes wrong."""

    misfortune: Misfortune


@dataclass(frozen=True, slots=True)
class Notice:
    """Firmware -> driver: the stamp of an event slot was written."""

    slot: int


@dataclass(frozen=True, slots=True)
class Halted:
    """Firmware -> driver: everything was halted, for a reason that it does not know of."""

    halt: Halt


@dataclass(frozen=True, slots=True)
class Died:
    """Firmware's watchdog -> driver: there is no firmware any more."""


@dataclass(frozen=True, slots=True)
class Garbage:
    """Driver -> reaper: commands whose memory is no longer needed."""

    commands: tuple[Command, ...]
