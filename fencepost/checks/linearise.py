"""Linearisability: is there one order of all operations, true to time, in which each came to what it must come to?

The search of Wing and Gong ("Testing and Verifying Concurrent Objects", JPDC 1993): whatever began before anything that
is not in the order yet had ended may be the next in it. After Lowe ("Testing for Linearizability", 2017), what was
put in order and the state it leads to are looked at once. Exponential at worst: for short histories.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from fencepost.checks.history import History, Operation, SequentialModel, Why

__all__ = ["NoOrder", "check_history"]

S = TypeVar("S", bound=Hashable)


@dataclass(frozen=True, slots=True)
class NoOrder:
    """No order explains what was done.

    Attributes:
        operations: some that fit into no order, as few as were found.
        order: how far a longest order of these gets.
        refused: what could come next by time, each with the reason why it cannot.
        recorded: how many operations the history has.
    """

    operations: tuple[Operation, ...]
    order: tuple[Operation, ...]
    refused: tuple[tuple[Operation, Why], ...]
    recorded: int

    def __str__(self) -> str:
        rows = [f"no order explains these {len(self.operations)} of {self.recorded} operations:"]
        rows += [f"  {each.invoked} to {each.responded}: {said(each)}" for each in self.operations]
        rows.append(f"after {', then '.join(map(said, self.order)) or 'the beginning'}:")
        rows += [f"  {said(operation)} cannot come next: {why}" for operation, why in self.refused]
        return "\n".join(rows)


def said(operation: Operation) -> str:
    """Say what was done by whom."""
    return f"{operation} by {operation.who}"


def check_history(history: History[S]) -> NoOrder | None:
    """Return a small part of a history that no order explains; None when some order explains it all.

    Raises WrongState while a call has not returned. Client context.
    """
    operations = history.operations
    ends = sorted(operation.responded for operation in operations)
    if not ends or Search(history.model, operations, ends[-1]).run():
        return None
    # What explains the whole explains each beginning of it, so the first that nothing explains can be sought by halves.
    until = ends[bisect_left(ends, True, key=lambda end: not Search(history.model, operations, end).run())]  # noqa: FBT003
    search = shortened(history.model, operations, until)
    return NoOrder(search.operations, search.order, search.refused, len(operations))


def shortened(model: SequentialModel[S], operations: Sequence[Operation], until: int) -> Search[S]:
    """Leave out, from the last to the first, whatever the same operations are refused without, for the same reasons."""
    search = Search(model, operations, until)
    search.run()
    for operation in reversed(search.operations):
        shorter = Search(model, [other for other in search.operations if other is not operation], until)
        if not shorter.run() and shorter.refused == search.refused:
            search = shorter
    return search


class Search(Generic[S]):
    """Looks for an order of the operations up to a place: those that had ended must be in it, the others may be.

    Attributes:
        operations: those that had begun, in the order of their beginnings.
        order, refused: the longest order found, and why nothing can be added to it.
    """

    def __init__(self, model: SequentialModel[S], operations: Sequence[Operation], until: int) -> None:
        self.operations = tuple(each for each in operations if each.invoked <= until)
        self.order: tuple[Operation, ...] = ()
        self.refused: tuple[tuple[Operation, Why], ...] = ()
        self._model = model
        self._needed = sum(1 << index for index, each in enumerate(self.operations) if each.responded <= until)

    def run(self) -> bool:
        """Say whether there is an order."""
        ways: list[tuple[int, S, tuple[Operation, ...]]] = [(0, self._model.initial, ())]
        seen = {(0, self._model.initial)}
        while ways:
            done, state, order = ways.pop()
            if not self._needed & ~done:
                return True
            refused: list[tuple[Operation, Why]] = []
            stuck = True
            for index in self._next(done):
                operation = self.operations[index]
                after = self._model.step(state, operation)
                if isinstance(after, Why):
                    refused.append((operation, after))
                    continue
                stuck = False
                step = done | 1 << index, after
                if step not in seen:
                    seen.add(step)
                    ways.append((*step, (*order, operation)))
            if stuck and (len(order) > len(self.order) or not self.refused):
                self.order, self.refused = order, tuple(refused)
        return False

    def _next(self, done: int) -> Iterator[int]:
        """Yield what may be next: what had begun when the first of the others ended."""
        first_end = self.operations[-1].invoked
        for index, operation in enumerate(self.operations):
            if not done >> index & 1:
                if operation.invoked > first_end:
                    return
                first_end = min(first_end, operation.responded)
                yield index
