"""What can be made to go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["ChannelError", "Death", "Hang", "IgnoredHalt", "LostNotices", "Misfortune", "PageFault", "Step"]

Step: TypeAlias = Literal["kick", "start", "done", "notice", "halt", "resume"]
"""What the firmware does: take up a kick, start a command, be done with one, tell of it, halt the GPU, resume."""


@dataclass(frozen=True, slots=True)
class Hang:
    """A command of `vm` never ends: the one that runs, else the next that starts. None is any."""

    vm: str | None = None


@dataclass(frozen=True, slots=True)
class PageFault:
    """A command of `vm` faults: the one that runs, else the next that starts. None is any.

    Attributes:
        vm: whose command.
        vm_known: whether the fault registers tell whose address it was.
        address: the one they tell, or None.
    """

    vm: str | None = None
    vm_known: bool = True
    address: int | None = None


@dataclass(frozen=True, slots=True)
class ChannelError:
    """The firmware cannot read a command of `vm`: the one that runs, else the next that starts. None is any."""

    vm: str | None = None


@dataclass(frozen=True, slots=True)
class LostNotices:
    """The next so many event messages are lost; the stamps are written all the same."""

    count: int = 1


@dataclass(frozen=True, slots=True)
class IgnoredHalt:
    """At the next halt the GPU does not come to rest: the driver is told of it, and waits in vain."""


@dataclass(frozen=True, slots=True)
class Death:
    """The firmware dies: now, or when it next does `at`. Unless `silent`, its watchdog tells the driver."""

    at: Step | None = None
    silent: bool = False


Misfortune: TypeAlias = Hang | PageFault | ChannelError | LostNotices | IgnoredHalt | Death
