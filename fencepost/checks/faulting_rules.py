"""Work that can fault, beside published fences of work on the same hardware.

While it stops at a fault it keeps the hardware. The fault needs memory, memory may come only once a fence has
signalled, and the work behind that fence waits for the hardware. So where fences are visible, such work must be
preemptible even then. (That it has no fence of its own is said by `foreseen`.)

What needs which hardware is known as far as `promise` and `FaultingWork` tell, and of a job by its scheduler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fencepost.checks.broken_rule import BrokenRule, Tell
from fencepost.checks.pending import PendingFences, known_of
from fencepost.checks.poison import Deed, deed

if TYPE_CHECKING:
    from fencepost.fences.faulting import FaultingWork, Residency
    from fencepost.fences.publication import Publication

__all__ = ["FaultingRules"]

RULE: Final = "work that can fault beside a published fence"


class FaultingRules:
    """Watches what work that can fault is on which hardware.

    Args:
        tell: takes what is found.
        pending: the fences of which something is known.
    """

    def __init__(self, tell: Tell, pending: PendingFences) -> None:
        self._tell = tell
        self._pending = pending
        # Each use is one operation, and whoever comes first is there before it looks for the other.
        self._resident: dict[FaultingWork, Deed] = {}

    def published(self, fact: Publication) -> None:
        """Note that others can reach a fence, of which `PromiseRules` knows by now."""
        pending = known_of(fact.fence)
        if pending is None or pending.published is None or pending.on is None:
            return
        for work, begun in list(self._resident.items()):
            if work.on == pending.on:
                said = f"{pending.name} is of work on {pending.on}: {pending.published}, while {begun}"
                self._tell(BrokenRule(RULE, said, (begun, pending.published)))

    def resides(self, fact: Residency) -> None:
        """Note that work comes or goes."""
        work = fact.work
        if not fact.resident:
            self._resident.pop(work, None)
        elif not work.preemptible:
            begun = self._resident[work] = deed(f"{work!r} was put there")
            for pending in self._pending:
                if pending.published is not None and pending.on == work.on:
                    said = f"{pending.name} is of work on {work.on}: {begun}, after {pending.published}"
                    self._tell(BrokenRule(RULE, said, (pending.published, begun)))
