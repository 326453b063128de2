"""Happens-before: which steps of tasks are ordered, by vector clocks.

A clock counts, for each task, how far that task's past is known. A task counts on whenever it gives way to others (a
stamp), so "I know task 3 up to 17" says that everything 3 had done when it made its 17th stamp came before. Hence two
short ways: an access is remembered as one number of one task (an epoch), and a stamp whose maker is known that far
brings nothing new. (Flanagan, Freund, "FastTrack: efficient and precise dynamic race detection", PLDI 2009.)

What a stamp knows is shared, not copied: a clock copies its knowledge when it learns after having given it out.

The place of a task that has ended is given to a task that is spawned by somebody who knows of the end: in the order of
things they are one task after the other. So clocks are as wide as there are tasks at a time, not as there ever were.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Final, TypeAlias

__all__ = ["Clock", "Clocks", "Stamp"]

Stamp: TypeAlias = tuple[int, int, Mapping[int, int]]
"""Whose, which of that task's, and what the task knew of others. Never changed."""

PLACES_LOOKED_AT: Final = 16


class Clock:
    """What one task knows of the past. Used by that task alone; others may read it, and see it a little late.

    Attributes:
        place: the task's place among all; no two tasks that could run at once have the same.
        time: how many stamps were made in this place, plus one.
        known: place -> how far the task there is known. Shared with stamps: replaced, or changed while `_own`.
    """

    __slots__ = ("_learnt", "_own", "known", "place", "time")

    def __init__(self, place: int, time: int, known: dict[int, int]) -> None:
        self.place = place
        self.time = time
        self.known = known
        self._own = False
        # What came with the last stamp that was news. A sender that learns nothing sends the same again and again.
        self._learnt: Mapping[int, int] | None = None

    def release(self) -> Stamp:
        """Make a stamp of all that the task has done and knows."""
        time = self.time
        self.time = time + 1
        self._own = False
        return self.place, time, self.known

    def acquire(self, stamp: Stamp) -> None:
        """Learn what is in a stamp."""
        place, time, theirs = stamp
        known = self.known
        if place == self.place or known.get(place, 0) >= time:
            return
        if not self._own:
            known = self.known = known.copy()
            self._own = True
        known[place] = time
        if theirs is not self._learnt:
            self._learnt = theirs
            for other, other_time in theirs.items():
                if other_time > known.get(other, 0):
                    known[other] = other_time

    def knows(self, place: int, time: int) -> bool:
        """Say whether what was done in `place` at `time` came before what the task does now."""
        return place == self.place or self.known.get(place, 0) >= time


class Clocks:
    """The clocks of one world. Any task may call it at any time: each step of it is one operation of a dict or list."""

    def __init__(self) -> None:
        self._places = itertools.count()
        self._living: dict[int, Clock] = {}
        self._free: list[tuple[int, int]] = []

    @property
    def width(self) -> int:
        """How many tasks have a clock now."""
        return len(self._living)

    def new(self, parent: Stamp | None) -> Clock:
        """Make the clock of a new task: it knows what its parent knew; all that was done so far, if it has none."""
        if parent is None:
            known = {clock.place: clock.time for clock in list(self._living.values())}
            return Clock(next(self._places), 1, known)
        place, time, theirs = parent
        known = {**theirs, place: time}
        return Clock(*self._place_for(known), known)

    def add(self, clock: Clock) -> None:
        """Count a clock among those of the living."""
        self._living[clock.place] = clock

    def end(self, clock: Clock) -> Stamp:
        """Forget the clock of a task that has ended; return what it knew at the end."""
        stamp = clock.release()
        self._living.pop(clock.place, None)
        self._free.append((clock.place, stamp[1]))
        return stamp

    def learn_of_end(self, clock: Clock, place: int) -> None:
        """Have `clock` know everything that was done in a place whose task has ended without saying so."""
        gone = self._living.get(place)
        if gone is not None:
            clock.acquire((place, gone.time, gone.known))

    def _place_for(self, known: Mapping[int, int]) -> tuple[int, int]:
        """Return a place and the time to begin with: one that became free, as far as `known` goes, or a new one."""
        for entry in self._free[-PLACES_LOOKED_AT:]:
            place, last = entry
            if known.get(place, 0) >= last:
                try:
                    self._free.remove(entry)
                except ValueError:  # somebody else has taken it meanwhile
                    continue
                return place, last + 1
        return next(self._places), 1
