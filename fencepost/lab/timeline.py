"""Who had which engine when: what the pictures of a run are drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from fencepost.events.kinds import BATCH, PERIOD_MISSED, Event

__all__ = ["Shares", "Stretch", "Timeline"]

NOBODY: Final = "no client"
READABLE_NS: Final = 200_000_000
READABLE_STRETCHES: Final = 1500


class Stretch(NamedTuple):
    """A client had an engine from one moment to another."""

    engine: str
    client: str
    start_ns: int
    end_ns: int


class Shares(NamedTuple):
    """How much of an engine each client had, in slots of equal length.

    Attributes:
        edges_ns: where the slots begin, and the last one ends.
        of: engine and client -> for each slot from 0 to 1.
    """

    edges_ns: Sequence[float]
    of: dict[tuple[str, str], list[float]]


@dataclass(frozen=True, slots=True)
class Timeline:
    """What engines executed, and where periods were missed, between two moments.

    Attributes:
        stretches: in the order of their starts.
        missed: when, and by whom.
    """

    start_ns: int
    end_ns: int
    stretches: Sequence[Stretch]
    missed: Sequence[tuple[int, str]]

    @classmethod
    def of(cls, events: Iterable[Event]) -> Self:
        """Read the timeline of a whole run. One without batches and missed periods lasts no time."""
        stretches: list[Stretch] = []
        missed: list[tuple[int, str]] = []
        for time_ns, kind, *fields in events:
            if kind == BATCH:
                engine, client, _, _, start_ns, end_ns = fields
                stretches.append(Stretch(engine, client or NOBODY, start_ns, end_ns))
            elif kind == PERIOD_MISSED:
                missed.append((time_ns, fields[0] or NOBODY))
        stretches.sort(key=lambda stretch: stretch.start_ns)
        starts = [stretch.start_ns for stretch in stretches] + [time_ns for time_ns, _ in missed]
        ends = [stretch.end_ns for stretch in stretches] + [time_ns for time_ns, _ in missed]
        return cls(min(starts, default=0), max(ends, default=0), stretches, sorted(missed))

    @property
    def length_ns(self) -> int:
        """How long it lasts."""
        return self.end_ns - self.start_ns

    @property
    def engines(self) -> list[str]:
        """The engines that executed anything, by name."""
        return sorted({stretch.engine for stretch in self.stretches})

    def busy_ns(self) -> Counter[str]:
        """Return for how long each engine was busy."""
        busy = Counter[str]()
        for stretch in self.stretches:
            busy[stretch.engine] += stretch.end_ns - stretch.start_ns
        return busy

    def used_ns(self) -> Counter[str]:
        """Return how much time of all engines each client had."""
        used = Counter[str]()
        for stretch in self.stretches:
            used[stretch.client] += stretch.end_ns - stretch.start_ns
        return used

    def cut(self, start_ns: int, end_ns: int) -> Timeline:
        """Return the part between two moments."""
        return Timeline(
            start_ns,
            end_ns,
            [
                stretch._replace(start_ns=max(stretch.start_ns, start_ns), end_ns=min(stretch.end_ns, end_ns))
                for stretch in self.stretches
                if stretch.start_ns < end_ns and start_ns < stretch.end_ns
            ],
            [(time_ns, client) for time_ns, client in self.missed if start_ns <= time_ns <= end_ns],
        )

    def readable_part(self) -> Timeline:
        """Return a part that can be drawn stretch by stretch: all of a short run, else a steady piece.

        That is one around the missed period in the middle of all missed ones, or else the middle of the run.
        """
        length_ns = READABLE_NS
        if self.length_ns <= length_ns and len(self.stretches) <= READABLE_STRETCHES:
            return self
        middle_ns = self.missed[len(self.missed) // 2][0] if self.missed else (self.start_ns + self.end_ns) // 2
        while True:
            part = self._around(middle_ns, min(length_ns, self.length_ns))
            if len(part.stretches) <= READABLE_STRETCHES:
                return part
            length_ns //= 2

    def _around(self, middle_ns: int, length_ns: int) -> Timeline:
        start_ns = max(self.start_ns, min(middle_ns - length_ns // 2, self.end_ns - length_ns))
        return self.cut(start_ns, start_ns + length_ns)

    def shares(self, slots: int) -> Shares:
        """Return how much of each engine each client had, in so many slots."""
        slot_ns = max(1, self.length_ns) / slots
        of: dict[tuple[str, str], list[float]] = {}
        for engine, client, start_ns, end_ns in self.stretches:
            share = of.setdefault((engine, client), [0.0] * slots)
            first = int((start_ns - self.start_ns) / slot_ns)
            last = min(slots - 1, int((end_ns - self.start_ns) / slot_ns))
            for slot in range(first, last + 1):
                slot_start_ns = self.start_ns + slot * slot_ns
                part_ns = min(end_ns, slot_start_ns + slot_ns) - max(start_ns, slot_start_ns)
                share[slot] += max(0.0, part_ns) / slot_ns
        return Shares([self.start_ns + slot * slot_ns for slot in range(slots + 1)], of)
