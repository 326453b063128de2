"""What a published fence promises: that it will signal, in finite time, by nothing but what was submitted before.

A fence of a job is the promise of its scheduler; `promise` says whose another one is. One that nobody spoke for is a
fence of software: it must be in time, but anybody may signal it, anywhere.

Not seen: whether a publisher stays in a section until it has handed the work over; whether a limit is right; what
nobody has said that a fence depends on, unless whoever signals it waited for that. A fence that was made in an
unobserved world and signals there is taken for pending.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Final

from fencepost.checks.broken_rule import BrokenRule, Tell
from fencepost.checks.foreseen import objections
from fencepost.checks.pending import Pending, PendingFences, is_pending, known_of
from fencepost.checks.poison import Deed, deed
from fencepost.checks.sites import is_innards
from fencepost.fences.fence import Fence
from fencepost.fences.hooked import HookedFence
from fencepost.fences.long_running import is_long_running
from fencepost.fences.polled import PolledFence
from fencepost.fences.preempt_fence import PreemptFence
from fencepost.fences.unwrap import unwrap
from fencepost.fences.user_fence import UserFence
from fencepost.sync.tracking import frame_above
from fencepost.sync.world import NS_PER_S

if TYPE_CHECKING:
    from fencepost.checks.observers import TaskWatch
    from fencepost.fences.promise import Promise
    from fencepost.fences.publication import Publication

__all__ = ["LIMITS_S", "PromiseRules"]

TIME: Final = "a fence in finite time"
GONE: Final = "a fence that nobody will signal"
SECTION: Final = "signal outside of a signalling section"
FORESEEN: Final = "a fence that depends on what is not certain"

LIMITS_S: Final[Mapping[type[Fence], float]] = {Fence: 20.0, PreemptFence: 5.0}
"""For how long a published fence may be pending, by its class or the nearest above it."""


class PromiseRules:
    """Watches the fences of one world that were published or spoken for.

    Args:
        tell: takes what is found.
        watches: gives the watches of the tasks that there are.
        limits_s: what is to be different from `LIMITS_S`.

    Attributes:
        pending: the fences of which something is known.
    """

    def __init__(
        self, tell: Tell, watches: Callable[[], list[TaskWatch]], limits_s: Mapping[type[Fence], float] | None = None
    ) -> None:
        self._tell = tell
        self._watches = watches
        self._limits_s = {**LIMITS_S, **(limits_s or {})}
        self.pending = PendingFences(self._gone)
        self._closed = False
        self._turn = 0
        self._awaited: dict[TaskWatch, tuple[int, Deed]] = {}

    # What is told.

    def promised(self, watch: TaskWatch, fact: Promise) -> None:
        """Note what is behind a fence. What must be complete before is published to whoever waits for it."""
        pending = self.pending.of(watch, fact.fence)
        if pending is not None:
            pending.by, pending.on = fact.by or pending.by, fact.on or pending.on
            pending.after = tuple(fact.after)
            for other in fact.after:
                if isinstance(other, Fence):
                    self._publish(watch, other, f"as what {pending.name} comes after")

    def published(self, watch: TaskWatch, fact: Publication) -> None:
        """Note that others can reach a fence."""
        where = f"in {fact.where!r}"
        for objection in objections(fact.fence):
            did = deed(f"{fact.fence!r}, {objection}, was published {where}")
            self._tell(BrokenRule(FORESEEN, str(did), (did,)))
        for fence in {fact.fence: None, **dict.fromkeys(unwrap(fact.fence))}:
            self._publish(watch, fence, where)

    def enabled(self, watch: TaskWatch, fence: PreemptFence) -> None:
        """Note that a preemption begins. The fence's lock is held."""
        pending = self.pending.of(watch, fence, locked=True)
        if pending is not None:
            pending.since_ns = watch.world.now_ns()

    def waiting(self, watch: TaskWatch, on: object) -> None:
        """Note that a task is about to wait."""
        if isinstance(on, UserFence):
            self._turn += 1
            self._awaited[watch] = self._turn, deed(f"{on!r} was waited for")

    def signalling(self, watch: TaskWatch, fence: object) -> None:
        """Note that a task is about to signal what might be a fence. The fence's lock is held."""
        pending = known_of(fence)
        if pending is None:
            return
        pending.kept = True
        published = pending.published
        if published is None:
            return
        self._check_time(pending, watch.world.now_ns())
        if pending.by and not watch.sections and watch.task.no_block is None and not is_opportunistic():
            did = deed(f"{pending.name} was signalled")
            said = f"{did}, in no section; it was up to {pending.by}; {published}"
            self._tell(BrokenRule(SECTION, said, (published, did)))
        turn, awaited = self._awaited.get(watch, (0, published))
        if turn > pending.turn:
            did = deed(f"{pending.name} was signalled")
            said = f"{did}, and could not be before {awaited}; {published}"
            self._tell(BrokenRule(FORESEEN, said, (published, awaited, did)))

    def ended(self, watch: TaskWatch) -> None:
        """Forget a task that has ended."""
        self._awaited.pop(watch, None)

    def look(self, now_ns: int) -> None:
        """See whether the time of any fence is up. Any context."""
        for pending in self.pending:
            self._check_time(pending, now_ns)

    def closed(self, now_ns: int) -> None:
        """Note that all tasks of the world have ended."""
        self.look(now_ns)
        for pending in self.pending:
            self._check_gone(pending, "all tasks have ended")
        self._closed = True

    # The work.

    def _publish(self, watch: TaskWatch, fence: Fence, where: str) -> None:
        pending = self.pending.of(watch, fence)
        if pending is not None and pending.published is None:
            self._turn += 1
            pending.turn = self._turn
            pending.limit_s = self._limit_s(type(fence))
            # A preemption has its time from the moment at which somebody wants it, and long-running work has all time.
            if not isinstance(fence, PreemptFence) and not is_long_running(fence):
                pending.since_ns = watch.world.now_ns()
            pending.published = deed(f"it was published {where}")

    def _limit_s(self, fence_class: type[Fence]) -> float:
        return next(self._limits_s[base] for base in fence_class.__mro__ if base in self._limits_s)

    def _check_time(self, pending: Pending, now_ns: int) -> None:
        """Report a fence whose time is up, once. The time does not run while it comes after others."""
        published, since_ns = pending.published, pending.since_ns
        if published is None or since_ns is None:
            return
        for other in pending.after:
            if isinstance(other, Fence):
                since_ns = now_ns if is_pending(other) else max(since_ns, other.timestamp_ns)
        took_s = (now_ns - since_ns) / NS_PER_S
        if took_s > pending.limit_s:
            pending.since_ns = None
            said = f"{pending.name} took {took_s:g} s, expected at most {pending.limit_s:g}"
            self._tell(BrokenRule(TIME, f"{said}{self._up_to(pending)}; {published}", (published,)))

    def _up_to(self, pending: Pending) -> str:
        """Say who should signal, and what that waits for."""
        if not pending.by:
            return ""
        owner = next((watch.task for watch in self._watches() if watch.task.name == pending.by), None)
        waits = "" if owner is None or owner.waiting_on is None else f", which waits for {owner.waiting_on}"
        return f"; it is up to {pending.by}{waits}"

    def _gone(self, pending: Pending) -> None:
        """Note that there is a fence no more. Any context."""
        if not self._closed:
            self._check_gone(pending, "nobody has it any more")

    def _check_gone(self, pending: Pending, why: str) -> None:
        published = pending.published
        # What nobody has asked to end need not.
        if pending.by and published is not None and pending.since_ns is not None and not pending.kept:
            pending.kept = True
            said = f"{pending.name} and {why}; it was up to {pending.by}; {published}"
            self._tell(BrokenRule(GONE, said, (published,)))


def is_opportunistic() -> bool:
    """Say whether a fence is signalled by somebody who asked and found it complete: nothing depends on that."""
    frame: FrameType | None = frame_above(1)
    while frame is not None and (is_innards(frame) or frame.f_code.co_name == "signal"):
        frame = frame.f_back
    return frame is not None and frame.f_code in ASKING


def code_of(function: object) -> CodeType:
    """Return the code of a function, or of the reading half of a property."""
    function = function.fget if isinstance(function, property) else function
    code = getattr(function, "__code__", None)
    assert isinstance(code, CodeType)
    return code


ASKING: Final = frozenset({code_of(PolledFence.signaled), code_of(HookedFence._refused)})  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
"""Where fences are asked whether they are complete."""
