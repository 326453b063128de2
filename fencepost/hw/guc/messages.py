"""What driver and firmware say to each other.

Host to firmware (H2G), each with the replies that the firmware owes for it; room for these is reserved when it is sent.
Firmware to host (G2H): the replies, and what comes unasked.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from fencepost.hw.guc.emission import Emission

__all__ = [
    "CatError",
    "ContextId",
    "ContextReset",
    "Deregister",
    "DeregisterDone",
    "EngineFailure",
    "FromFirmware",
    "Policies",
    "Register",
    "Reply",
    "ScheduleContext",
    "ScheduleDisable",
    "ScheduleDone",
    "ScheduleEnable",
    "TlbDone",
    "TlbInvalidate",
    "ToFirmware",
    "UpdatePolicies",
    "guc_id_of",
]


class ContextId(NamedTuple):
    """The number of a context, and the registration that is meant: a number is used again."""

    number: int
    generation: int


@dataclass(frozen=True, slots=True)
class Policies:
    """How a context is scheduled.

    Args:
        priority: the lower number is the more important one.
        quantum_us: how long it may keep an engine that an equal waits for; 0 for as long as it likes.
        preempt_timeout_us: how long it may take to yield before its engine is reset; 0 for ever.
    """

    priority: int
    quantum_us: float
    preempt_timeout_us: float


# Replies, and what comes unasked.


@dataclass(frozen=True, slots=True)
class ScheduleDone:
    """A context is enabled; or it is disabled, and off its engine."""

    context: ContextId
    enabled: bool


@dataclass(frozen=True, slots=True)
class DeregisterDone:
    """The firmware has forgotten a context."""

    context: ContextId


@dataclass(frozen=True, slots=True)
class TlbDone:
    """The translations are invalidated that were asked for with this number."""

    seqno: int


@dataclass(frozen=True, slots=True)
class ContextReset:
    """The engine was reset under a context: what it executed is lost, and it runs no more."""

    context: ContextId


@dataclass(frozen=True, slots=True)
class CatError:
    """A context accessed memory that is not its own; it runs no more. None: the firmware does not know which."""

    context: ContextId | None


@dataclass(frozen=True, slots=True)
class EngineFailure:
    """An engine could not be reset."""

    engine: str


Reply: TypeAlias = ScheduleDone | DeregisterDone | TlbDone
FromFirmware: TypeAlias = Reply | ContextReset | CatError | EngineFailure


# Requests.


@dataclass(frozen=True, slots=True)
class Register:
    """Know a context: where it may run, and its ring in memory."""

    context: ContextId
    engines: tuple[str, ...]
    ring: deque[Emission]

    @property
    def replies(self) -> tuple[Reply, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class UpdatePolicies:
    """Schedule a context like this from now on."""

    context: ContextId
    policies: Policies

    @property
    def replies(self) -> tuple[Reply, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class ScheduleEnable:
    """Run a context when there is something in its ring."""

    context: ContextId

    @property
    def replies(self) -> tuple[Reply, ...]:
        return (ScheduleDone(self.context, enabled=True),)


@dataclass(frozen=True, slots=True)
class ScheduleDisable:
    """Take a context off its engine, and run it no more.

    `deregister_next` reserves room for both replies: the second request will be sent by who handles the first reply,
    and must not have to wait for room.
    """

    context: ContextId
    deregister_next: bool = False

    @property
    def replies(self) -> tuple[Reply, ...]:
        done = ScheduleDone(self.context, enabled=False)
        return (done, DeregisterDone(self.context)) if self.deregister_next else (done,)


@dataclass(frozen=True, slots=True)
class ScheduleContext:
    """Look at the ring of a context: there is more in it."""

    context: ContextId

    @property
    def replies(self) -> tuple[Reply, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Deregister:
    """Forget a context. `reserved` says that there is room for the reply since the disable."""

    context: ContextId
    reserved: bool = False

    @property
    def replies(self) -> tuple[Reply, ...]:
        return () if self.reserved else (DeregisterDone(self.context),)


@dataclass(frozen=True, slots=True)
class TlbInvalidate:
    """Forget address translations."""

    seqno: int

    @property
    def replies(self) -> tuple[Reply, ...]:
        return (TlbDone(self.seqno),)


ToFirmware: TypeAlias = (
    Register | UpdatePolicies | ScheduleEnable | ScheduleDisable | ScheduleContext | Deregister | TlbInvalidate
)


def guc_id_of(message: ToFirmware | FromFirmware) -> int:
    """Return the number of the context that a message is about; 0 for none."""
    context = getattr(message, "context", None)
    return 0 if context is None else int(context.number)
