"""What the firmware of user queues is told. What its own hardware tells it are the notices of `hw.guc.messages`."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from fencepost.fences import Fence
from fencepost.hw.guc.messages import Policies
from fencepost.hw.user_queue.mqd import Mqd
from fencepost.sync import Gate

__all__ = [
    "Add",
    "Look",
    "Lose",
    "Poll",
    "Release",
    "Remove",
    "Rung",
    "SetPolicies",
    "Suspect",
    "Suspend",
    "Tick",
]


# From users.


@dataclass(frozen=True, slots=True)
class Rung:
    """The doorbell of a queue was rung."""

    mqd: Mqd


@dataclass(frozen=True, slots=True)
class Poll:
    """Look at the pointers of all queues that are not mapped. `rung`: an aggregated doorbell says so."""

    rung: bool = False


# From the driver.


@dataclass(frozen=True, slots=True)
class Add:
    """Know a queue."""

    mqd: Mqd


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a queue off the hardware and forget it; `gone` opens then. `at_once`: it gets no time to yield."""

    mqd: Mqd
    gone: Gate
    at_once: bool


@dataclass(frozen=True, slots=True)
class SetPolicies:
    """Schedule a queue differently."""

    mqd: Mqd
    policies: Policies


@dataclass(frozen=True, slots=True)
class Suspend:
    """Take all queues of a process off the hardware, also those that come; `done` is called when they are."""

    process: Hashable
    done: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Release:
    """Undo one `Suspend`."""

    process: Hashable


@dataclass(frozen=True, slots=True)
class Suspect:
    """The time of a fence is up: find out whether its queue hangs. `spare` is called if it does not.

    Attributes:
        limit_ns: for how long a packet may execute.
    """

    mqd: Mqd
    fence: Fence
    limit_ns: int
    spare: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Lose:
    """The device is gone: all queues end with an error, and those that come."""

    error: int


# From itself.


@dataclass(frozen=True, slots=True)
class Look:
    """What a packet of a queue had to wait for has signalled."""

    mqd: Mqd


@dataclass(frozen=True, slots=True)
class Tick:
    """A quantum may be over, or a queue whose slot somebody waits for has nothing more to execute."""
