"""The cross-driver rules of fences, watched in one world.

    section_rules    no fence, no memory is waited for in a signalling section; sections come in pairs
    promise_rules    a published fence signals in time, in a section, and depends on nothing that is not certain
    foreseen         what that is
    faulting_rules   work that can fault, beside fences on the same hardware
    unbounded_waits  nothing is held while waiting for what may never come

That a reservation must not be taken in a section is a matter of the order of locks, with which `LockOrder` begins. A
preemption fence is for the bookkeeping of a reservation only, and that is told of here.

They hear what the program says: `signalling`, `publish`, `promise`, `might_alloc`, `FaultingWork`. What is not said is
not seen. (kernel: driver-api/dma-buf, "DMA Fence Cross-Driver Contract" and what follows)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from fencepost.checks.broken_rule import BrokenRule
from fencepost.checks.faulting_rules import FaultingRules
from fencepost.checks.poison import deed
from fencepost.checks.promise_rules import PromiseRules
from fencepost.checks.section_rules import SectionRules
from fencepost.checks.unbounded_waits import UnboundedWaits
from fencepost.fences.faulting import Residency
from fencepost.fences.fence import Fence
from fencepost.fences.preempt_fence import PreemptFence, Preempting
from fencepost.fences.promise import Promise
from fencepost.fences.publication import Publication
from fencepost.fences.usage import Usage
from fencepost.sync.allocation import Allocation

if TYPE_CHECKING:
    from fencepost.checks.observers import TaskWatch

__all__ = ["FenceRules"]

PREEMPTION: Final = "a preemption fence is for bookkeeping"


class FenceRules:
    """Hands what one world tells to all rules.

    Args:
        watches: gives the watches of the tasks that there are.
        limits_s: for how long a fence may be pending, by its class, where it is not as in `LIMITS_S`.

    Attributes:
        found: the breaches; those of one rule in one place once.
    """

    def __init__(
        self, watches: Callable[[], list[TaskWatch]], limits_s: Mapping[type[Fence], float] | None = None
    ) -> None:
        self.found: list[BrokenRule] = []
        self._places: set[str] = set()
        self.sections = SectionRules(self._tell)
        self._promises = PromiseRules(self._tell, watches, limits_s)
        self._faulting = FaultingRules(self._tell, self._promises.pending)
        self._unbounded = UnboundedWaits(self._tell)
        self.signalling = self._promises.signalling
        self.look = self._promises.look
        self.closed = self._promises.closed

    def hear(self, watch: TaskWatch, fact: object) -> None:
        """Note what a part of the program says."""
        match fact:
            case Allocation():
                self.sections.allocating(watch, fact)
            case Publication():
                self._promises.published(watch, fact)
                self._faulting.published(fact)
                self._check_preemption(fact)
            case Promise():
                self._promises.promised(watch, fact)
            case Preempting():
                self._promises.enabled(watch, fact.fence)
            case Residency():
                self._faulting.resides(fact)
            case _:
                pass

    def waiting(self, watch: TaskWatch, on: object) -> None:
        """Note that a task is about to wait for something other than a lock."""
        self.sections.waiting(watch, on)
        self._promises.waiting(watch, on)
        self._unbounded.waiting(watch, on)

    def ended(self, watch: TaskWatch) -> None:
        """Note that a task has come to its end."""
        self.sections.ended(watch)
        self._promises.ended(watch)

    def _check_preemption(self, fact: Publication) -> None:
        if isinstance(fact.fence, PreemptFence) and fact.usage not in ("", Usage.BOOKKEEP.name):
            did = deed(f"{fact.fence!r} was put into {fact.where!r} as {fact.usage}")
            said = f"{did}, expected BOOKKEEP: who only reads or writes the buffer would stop the work"
            self._tell(BrokenRule(PREEMPTION, said, (did,)))

    def _tell(self, breach: BrokenRule) -> None:
        # Two tasks that come at once may tell of one place twice, which does no harm.
        if breach.place not in self._places:
            self._places.add(breach.place)
            self.found.append(breach)
