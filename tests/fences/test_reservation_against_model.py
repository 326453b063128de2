"""Reservations against their purpose: whoever asks waits for everything that was added, and for nothing else."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fencepost.fences import Fence, is_later_or_same
from fencepost.fences.reservation import Reservation, Usage

CONTEXTS: Final = 3
USAGES: Final = st.sampled_from(Usage)


class AddedFences(RuleBasedStateMachine):
    """Keeps every fence that was added and not replaced."""

    @initialize()
    def begin(self) -> None:
        self.reservation = Reservation()
        self.added: list[tuple[Fence, Usage]] = []
        self.fences: dict[tuple[int, int], Fence] = {}

    def fence(self, context: int, seqno: int) -> Fence:
        return self.fences.setdefault((context, seqno), Fence(context, seqno))

    @rule(context=st.integers(1, CONTEXTS), seqno=st.integers(0, 6), usage=USAGES)
    def add(self, context: int, seqno: int, usage: Usage) -> None:
        fence = self.fence(context, seqno)
        with self.reservation:
            self.reservation.reserve(1)
            self.reservation.add(fence, usage)
        self.added.append((fence, usage))

    @rule(context=st.integers(1, CONTEXTS), by=st.integers(1, CONTEXTS), usage=USAGES)
    def replace(self, context: int, by: int, usage: Usage) -> None:
        fence = Fence(by, 7)
        with self.reservation:
            present = any(fence.context == context for fence, _ in self.reservation.iterate(Usage.BOOKKEEP))
            self.reservation.replace(context, fence, usage)
        self.added = [(old, used) for old, used in self.added if old.context != context]
        if present:
            self.added.append((fence, usage))

    @precondition(lambda self: self.fences)
    @rule(data=st.data())
    def signal(self, data: st.DataObject) -> None:
        """Signal the fences of a context up to one of them, in order."""
        context, seqno = data.draw(st.sampled_from(sorted(self.fences)))
        for number in range(seqno + 1):
            if (fence := self.fences.get((context, number))) is not None:
                fence.signal()
        # The next one of such a number is another fence.
        self.fences = {place: fence for place, fence in self.fences.items() if not fence.signaled}

    @rule(count=st.integers(1, 20))
    def reserve(self, count: int) -> None:
        with self.reservation:
            self.reservation.reserve(count)

    @invariant()
    def whoever_asks_waits_for_enough_and_nothing_else(self) -> None:
        added = [(fence, usage) for fence, usage in self.added if not fence.signaled]
        for asked in Usage:
            found = self.reservation.get_fences(asked)
            wanted = [fence for fence, usage in added if usage <= asked]
            assert all(fence in wanted for fence in found)
            assert self.reservation.test_signaled(asked) is not bool(wanted)
            for fence in wanted:
                assert any(one.context == fence.context and is_later_or_same(one, fence) for one in found)

    @invariant()
    def under_the_lock_it_is_the_same_and_what_has_signalled(self) -> None:
        with self.reservation:
            entries = list(self.reservation.iterate(Usage.BOOKKEEP))
        pending = dict.fromkeys(fence for fence, _ in entries if not fence.signaled)
        assert list(pending) == self.reservation.get_fences(Usage.BOOKKEEP)


TestAddedFences = AddedFences.TestCase
