"""Races on tracked fields: two accesses, one of them a write, that nothing orders.

What is remembered of a field is its last write, and the reads since that are not ordered among each other. The state
belongs to the object and is changed without a lock: of two accesses at the very same moment one may be overlooked, and
none is made up. A task that goes on using a field alone does not come here: its hook brings the last trace up to date.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fencepost.checks.happens_before import Clocks
from fencepost.checks.lock_order import kinds_held
from fencepost.checks.sites import Site, site_of
from fencepost.sync.tracking import NEVER, Field, FieldState, Trace, frame_above, published, tracked

if TYPE_CHECKING:
    from fencepost.checks.observers import TaskWatch

__all__ = ["Access", "Race", "Races", "published", "tracked"]

FRAMES_UP: Final = 4
"""From `note` to whoever touched the field: the watch's `touch`, the world's `touch`, the field's hook, the toucher."""


@dataclass(frozen=True, slots=True)
class Access:
    """A read or a write of a field.

    Attributes:
        name: of the task.
        site: where it was.
        held: the kinds of locks that the task held.
        writes: whether it was a write.
    """

    name: str
    site: Site
    held: tuple[str, ...]
    writes: bool

    def __str__(self) -> str:
        locks = f"holding {', '.join(self.held)}" if self.held else "holding no lock"
        return f"{'written' if self.writes else 'read'} by {self.name} at {self.site}, {locks}"


def access_of(trace: Trace) -> Access:
    """Say what left a trace."""
    return Access(trace.watch.task.name, site_of(trace.code, trace.instruction), kinds_held(trace.held), trace.writes)


def is_known(trace: Trace, watch: TaskWatch) -> bool:
    """Say whether a trace was left before what the task does now."""
    return watch.knows(trace.watch.place, trace.time)


@dataclass(frozen=True, slots=True)
class Race:
    """Two accesses to a field that nothing orders.

    Attributes:
        field: `Class.field`.
        first, second: in the order in which they came this time.
    """

    field: str
    first: Access
    second: Access

    @property
    def place(self) -> str:
        """Where in the program, whichever came first."""
        return " and ".join([self.field, *sorted((str(self.first.site), str(self.second.site)))])

    def __str__(self) -> str:
        common = sorted({*self.first.held} & {*self.second.held})
        locks = f"both hold a lock of the kind {', '.join(common)}, not the same one" if common else "no lock in common"
        return f"race on {self.field}: {self.first}; {self.second}; {locks}, and nothing else orders them"


class Races:
    """Finds races; each pair of places in the program is reported once."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._reported: set[tuple[object, ...]] = set()
        self.found: list[Race] = []

    def note(self, watch: TaskWatch, thing: object, field: Field, *, writes: bool) -> None:
        """Compare an access with those before it, and remember it."""
        states = field.states(thing)
        state: FieldState | None = states.get(field.name)
        if state is None or state.watched_by is not self:
            state = states[field.name] = FieldState(self)
        if is_old_news(state, watch, writes=writes):
            return
        frame = frame_above(FRAMES_UP)
        trace = Trace(watch, frame.f_code, frame.f_lasti, writes=writes)
        write = state.write
        if write is not None and not is_known(write, watch):
            self._report(watch, field, write, trace)
        if writes:
            self._write(state, watch, field, trace)
        else:
            remember_read(state, watch, trace)

    def _write(self, state: FieldState, watch: TaskWatch, field: Field, trace: Trace) -> None:
        reads = state.reads
        state.write = state.own_write = trace
        if reads:
            state.reads, state.own_read = {}, NEVER
            for read in list(reads.values()):
                if not is_known(read, watch):
                    self._report(watch, field, read, trace)

    def _report(self, watch: TaskWatch, field: Field, first: Trace, second: Trace) -> None:
        is_over = first.watch.is_over
        if is_over is not None and is_over():
            # A thread that is not ours, and has ended: whoever started it may know that, by ways we do not see.
            self._clocks.learn_of_end(watch, first.watch.place)
            return
        key = (field, first.code, first.instruction, second.code, second.instruction)
        if key not in self._reported:
            self._reported.add(key)
            self.found.append(Race(field.label, access_of(first), access_of(second)))


def is_old_news(state: FieldState, watch: TaskWatch, *, writes: bool) -> bool:
    """Say whether the task did the same or more since its last stamp, and nobody else did anything since."""
    write = state.write
    if write is not None and write.watch is watch and write.time == watch.time:
        return not (writes and state.reads)
    read = None if writes else state.reads.get(watch.place)
    return read is not None and read.time == watch.time


def remember_read(state: FieldState, watch: TaskWatch, trace: Trace) -> None:
    """Keep a read, in the place of the one before it where that is ordered."""
    if state.own_write.watch is not watch:
        state.own_write = NEVER
    reads = state.reads
    if len(reads) == 1 and all(is_known(read, watch) for read in list(reads.values())):
        state.reads = {watch.place: trace}
    else:
        reads[watch.place] = trace
    state.own_read = trace
