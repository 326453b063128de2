"""What goes wrong in a run, on purpose: as a scenario says it, checked against what there is to go wrong."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from fencepost.errors import BadInput
from fencepost.lab.wsim.refusal import quoted

__all__ = ["ANY", "FAULT_KINDS", "FaultKind", "FaultSetup", "check_fault", "times"]

FaultKind: TypeAlias = Literal[
    "hang", "page_fault", "engine_reset", "firmware_death", "kill_client", "suspend", "unplug"
]

ANY: Final = "any"

ENGINE: Final = "engine"
CLIENT: Final = "client"
DEVICE: Final = "device"

FAULT_KINDS: Final[Mapping[FaultKind, str]] = {
    "hang": CLIENT,
    "page_fault": CLIENT,
    "engine_reset": ENGINE,
    "firmware_death": DEVICE,
    "kill_client": CLIENT,
    "suspend": CLIENT,
    "unplug": DEVICE,
}
"""What each kind of fault strikes.

hang            the next batch that a client submits never ends
page_fault      the same, but the hardware notices
engine_reset    the firmware or the driver resets an engine under what runs there
firmware_death  the firmware answers nothing any more, until a full reset
kill_client     a client is killed like a process; it may come back after `restart_s`
suspend         the queues of a client are taken off the hardware, and come back after `restart_s`
unplug          the device is gone, for good
"""


@dataclass(frozen=True, slots=True)
class FaultSetup:
    """One fault, or one that comes again and again.

    Attributes:
        where: how the person knows it, for messages.
        kind: a key of `FAULT_KINDS`.
        target: the name of a client or an engine, or `any`: another one each time. None for what strikes the device.
        at_s: when, after the start of the run; with `every_s` the time from which on it comes.
        every_s: how long it takes from one to the next on average, at random; None is once.
        restart_s: how long a client that was killed or suspended stays away; None is for good.
    """

    where: str
    kind: FaultKind
    target: str | None
    at_s: float
    every_s: float | None = None
    restart_s: float | None = None


def check_fault(fault: FaultSetup, clients: Collection[str], engines: Collection[str], submission: str) -> None:
    """Refuse a fault that strikes what is not there.

    Raises:
        BadInput: for an unknown target, one too many, or none where one is needed; for a firmware that there is not.
    """
    struck = FAULT_KINDS[fault.kind]
    if fault.kind in {"firmware_death", "suspend"} and submission == "ring":
        raise BadInput(f"{fault.where}, kind", fault.kind, "a submission by firmware (guc), rings have none")
    if fault.kind == "firmware_death" and submission == "doorbell":
        raise BadInput(f"{fault.where}, kind", fault.kind, "submission guc, whose driver can start its firmware again")
    if struck == DEVICE:
        if fault.target is not None:
            raise BadInput(f"{fault.where}, target", quoted(fault.target), f"none: {fault.kind} strikes the device")
        return
    known = clients if struck == CLIENT else engines
    if fault.target is None:
        raise BadInput(fault.where, "no target", f"the name of one {struck}, or {ANY}")
    if fault.target != ANY and fault.target not in known:
        raise BadInput(f"{fault.where}, target", quoted(fault.target), f"{ANY}, or one of {', '.join(known)}")


def times(fault: FaultSetup, draw: random.Random) -> Iterator[float]:
    """Yield when a fault comes, in seconds after the start of the run."""
    if fault.every_s is None:
        yield fault.at_s
        return
    at_s = fault.at_s
    while True:
        at_s += draw.expovariate(1 / fault.every_s)
        yield at_s
