"""What is said to the firmware that runs work which can fault, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fencepost.fences import Fence
from fencepost.hw.access import AccessFault

if TYPE_CHECKING:
    from fencepost.hw.long_running.context import Context, Piece

__all__ = ["Drop", "Ended", "Fault", "Kill", "Overdue", "Reply", "Resume", "Run", "Suspend"]


@dataclass(frozen=True, slots=True)
class Run:
    """Driver -> firmware: here is more for a context."""

    context: Context
    piece: Piece


@dataclass(frozen=True, slots=True)
class Drop:
    """Driver -> firmware: the job of a piece is freed."""

    context: Context
    piece: Piece


@dataclass(frozen=True, slots=True)
class Ended:
    """Engine -> firmware: a piece of a context has ended."""

    context: Context
    piece: Piece


@dataclass(frozen=True, slots=True)
class Suspend:
    """Driver -> firmware: take a context off; `off` is to signal when it is."""

    context: Context
    off: Fence


@dataclass(frozen=True, slots=True)
class Resume:
    """Driver -> firmware: one who had it taken off has no more need of that."""

    context: Context


@dataclass(frozen=True, slots=True)
class Kill:
    """Driver -> firmware: run nothing of a context any more."""

    context: Context


@dataclass(frozen=True, slots=True)
class Overdue:
    """Timer -> firmware: a context has not left in time; `number` tells which time."""

    context: Context
    number: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Engine -> firmware: work waits for memory. `serve` hands that to whoever deals with it."""

    context: Context
    fault: AccessFault
    serve: Callable[[AccessFault], object]


@dataclass(frozen=True, slots=True)
class Reply:
    """Fault handler -> firmware: the memory is there, or will not be."""

    context: Context
    fault: AccessFault
    found: bool
