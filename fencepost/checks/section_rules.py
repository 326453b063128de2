"""What must not be done in a signalling section, and whether sections are begun and ended in pairs.

In a section nothing may be waited for that might itself wait for a fence. A reservation is known to be such a thing, by
the order of locks that `LockOrder` begins with; memory and fences are told of here, each at once.

Nobody sees that an annotation is missing, but for one case: see `promise_rules`.
"""

from __future__ import annotations

from types import CodeType
from typing import TYPE_CHECKING, Final, NamedTuple

from fencepost.checks.broken_rule import BrokenRule, Tell
from fencepost.checks.lock_order import FENCE_WAITS
from fencepost.checks.poison import Deed, deed
from fencepost.fences.fence import Fence
from fencepost.fences.user_fence import UserFence
from fencepost.sync.allocation import RECLAIMING, Allocation
from fencepost.sync.observer import signalling
from fencepost.sync.tracking import frame_above

if TYPE_CHECKING:
    from fencepost.checks.observers import TaskWatch

__all__ = ["Section", "SectionRules"]

ALLOCATION: Final = "memory wanted in a signalling section"
WAIT: Final = "wait in a signalling section"
PAIRS: Final = "signalling sections in pairs"

FRAMES_TO_CALLER: Final = 3
"""From `SectionRules.begin` to the line that begins a section: the watch's, `begin_signalling`, the caller."""

WITH: Final = signalling.__enter__.__code__
"""Which may be the caller."""


class Section(NamedTuple):
    """A signalling section, by where it was begun."""

    task: str
    code: CodeType
    instruction: int

    @property
    def begun(self) -> Deed:
        """Its beginning, in words."""
        return Deed("the section was begun", self.task, ((self.code, self.instruction),))


class SectionRules:
    """Watches the signalling sections of a world."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def begin(self, watch: TaskWatch) -> int:
        """Note that a task enters a section; return how many it is in."""
        frame = frame_above(FRAMES_TO_CALLER)
        if frame.f_code is WITH and frame.f_back is not None:
            frame = frame.f_back
        watch.sections = (*watch.sections, Section(watch.task.name, frame.f_code, frame.f_lasti))
        return len(watch.sections)

    def end(self, watch: TaskWatch, depth: int) -> None:
        """Note that a task leaves the section that made it so many."""
        sections = watch.sections
        if depth != len(sections):
            ended = deed("a section was ended")
            inner = [section.begun for section in sections[depth:]]
            said = (
                f"{ended}, which is number {depth} of {len(sections)} that it is in"
                if sections
                else f"{ended}, which is in none: it was ended before, or begun by another task"
            )
            said += "".join(f"; {begun}" for begun in inner)
            self._tell(BrokenRule(PAIRS, said, (*inner, ended)))
        watch.sections = sections[: depth - 1]

    def ended(self, watch: TaskWatch) -> None:
        """Note that a task has come to its end."""
        if watch.sections:
            begun = watch.sections[-1].begun
            said = f"{watch.task.name} came to its end in a section; {begun}"
            self._tell(BrokenRule(PAIRS, said, (begun,)))

    def allocating(self, watch: TaskWatch, kind: Allocation) -> None:
        """Note that a task wants memory.

        NOWAIT is as harmless as ATOMIC: it fails before it would wait. That a failure is dealt with, nobody sees.
        """
        if watch.sections and kind in RECLAIMING:
            self._breach(ALLOCATION, watch, f"memory of the kind {kind.name}, which {kind.value}, was wanted")

    def waiting(self, watch: TaskWatch, on: object) -> None:
        """Note that a task is about to wait.

        A fence whose callbacks are running is none that might not signal.
        """
        being_signalled = isinstance(on, Fence) and on.signaller is not None
        if watch.sections and isinstance(on, (*FENCE_WAITS, UserFence)) and not being_signalled:
            self._breach(WAIT, watch, f"{on} was waited for")

    def _breach(self, rule: str, watch: TaskWatch, what: str) -> None:
        did = deed(what)
        begun = watch.sections[-1].begun
        self._tell(BrokenRule(rule, f"{did}; {begun}", (begun, did)))
