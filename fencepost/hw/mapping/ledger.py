"""What must hold of mapping, watched while it goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fencepost.sync import current

__all__ = ["Ledger"]

Pair = tuple[int, int]
"""Handle of a buffer and number of a GPU."""


class Ledger:
    """Counts what was sent to the SDMA engines for each buffer on each GPU, and notes what must not be.

    - No mapping is dispatched while the one before it stands: one that did not fail and was not undone.
    - n_success never goes down in a call and its restarts.
    - A call that returns 0 leaves everything mapped, its updates done, and the TLBs flushed; unless another call has
      undone that, which can be so only where the mutex is not held until the end.

    `_lock` protects the counts; a leaf. Any context.

    Attributes:
        overtaken: how often a call returned 0 for what another had undone by then.
        violations: a sentence each.
    """

    def __init__(self) -> None:
        self._lock = current().lock()
        self._mapped: Counter[Pair] = Counter()
        self._undone: Counter[Pair] = Counter()
        self._standing: set[Pair] = set()
        self.overtaken = 0
        self.violations: list[str] = []

    @property
    def dispatches(self) -> int:
        """How many mappings were dispatched."""
        with self._lock:
            return self._mapped.total()

    def of(self, pair: Pair) -> int:
        """Return how many were dispatched for one buffer on one GPU."""
        with self._lock:
            return self._mapped[pair]

    def undone(self, pair: Pair) -> int:
        """Return how often its mapping was undone."""
        with self._lock:
            return self._undone[pair]

    def map(self, pair: Pair) -> None:
        """Note that a mapping was dispatched."""
        with self._lock:
            self._mapped[pair] += 1
            if pair in self._standing:
                self.violations.append(f"buffer {pair[0]} was mapped twice on GPU {pair[1]}")
            self._standing.add(pair)

    def undo(self, pair: Pair) -> None:
        """Note that it was undone, or has failed."""
        with self._lock:
            self._undone[pair] += 1
            self._standing.discard(pair)

    def check_monotone(self, told: Iterable[tuple[int, int]]) -> None:
        """Look at the n_success that a call and its restarts were given, and the ones they gave back."""
        for given, back in told:
            if back < given:
                with self._lock:
                    self.violations.append(f"n_success went down from {given} to {back}")

    def not_usable(self, pair: Pair, undone: int) -> None:
        """Note that a call returns 0 and a GPU cannot use the buffer, whose mapping had been undone so often before."""
        with self._lock:
            if self._undone[pair] > undone:
                self.overtaken += 1
            else:
                self.violations.append(f"success, and buffer {pair[0]} is not usable on GPU {pair[1]}")
