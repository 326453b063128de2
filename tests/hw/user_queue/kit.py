"""What the tests of user queues share."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Final

import pytest

from fencepost import Runtime
from fencepost.checks import Model, explore
from fencepost.hw.user_queue import Mes, Packet, UserQueue
from fencepost.hw.user_queue.mqd import Mqd
from fencepost.hw.user_queue.ring import PacketRing, RingPointer
from tests.searching import FIELDS

__all__ = ["assert_clean", "made", "packet", "refused", "world_us"]

SHARED: Final = {**FIELDS, RingPointer: "_value", PacketRing: "_written", Mqd: "state error", UserQueue: "_protected"}
"""What users and firmware share."""


def assert_clean(model: Model, *, schedules: int = 120, timers: str = "never", seed: int = 1) -> None:
    """Search a model with every access to what is shared as a step, and fail with the report of what was found."""
    report = explore(model, schedules=schedules, timers=timers, seed=seed, fields=SHARED)
    assert not report.found, str(report)


def made(mes: Mes, *names: str) -> list[UserQueue]:
    """Make a queue for each of so many processes, on the first engine of the class ccs."""
    return [mes.process(name).queue("ccs0", name) for name in names]


def packet(duration_us: float | None = 0, **said: object) -> Packet:
    """Make a packet that a kernel fence can stand for."""
    return Packet(duration_us=duration_us, protected=True, **said)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def refused(number: int, match: str, call: Callable[[], object]) -> None:
    """Expect a refusal with an errno that says so."""
    with pytest.raises(OSError, match=match) as caught:
        call()
    assert caught.value.errno == number, errno.errorcode[caught.value.errno or 0]


def world_us(rt: Runtime) -> float:
    """Read the clock."""
    return rt.world.now_ns() / 1000
