"""Races on tracked fields: two accesses, one of them a write, that nothing orders.

What is remembered of a field is its last write, and the reads since that are not ordered among each other. The state
belongs to the object and is changed without a lock: of two accesses at the very same moment one may be overlooked, and
none is made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, Final

from fencepost.checks.happens_before import Clocks
from fencepost.checks.sites import Site, frame_above, site_of
from fencepost.sync.tracking import Field, published, tracked

if TYPE_CHECKING:
    from fencepost.checks.observers import TaskWatch

__all__ = ["Access", "Race", "Races", "published", "tracked"]

FRAMES_UP: Final = 4
"""From `note` to whoever touched the field: the watch's `touch`, the world's `touch`, the field's hook, the toucher."""


class Access:
    """A read or a write of a field, by whom, when and where."""

    __slots__ = ("code", "held", "instruction", "is_over", "name", "place", "time", "writes")

    def __init__(self, watch: TaskWatch, code: CodeType, instruction: int, *, writes: bool) -> None:
        self.place = watch.place
        self.time = watch.time
        self.code = code
        self.instruction = instruction
        self.writes = writes
        self.name = watch.task.name
        self.is_over = watch.is_over
        held = watch.held
        self.held = tuple(str(lock.kind) for lock in held) if held else ()

    @property
    def site(self) -> Site:
        """Where it was."""
        return site_of(self.code, self.instruction)

    def __str__(self) -> str:
        locks = f"holding {', '.join(self.held)}" if self.held else "holding no lock"
        return f"{'written' if self.writes else 'read'} by {self.name} at {self.site}, {locks}"


class FieldState:
    """What is remembered of one field of one object."""

    __slots__ = ("reads", "watched_by", "write")

    def __init__(self, races: Races) -> None:
        self.watched_by = races
        self.write: Access | None = None
        self.reads: dict[int, Access] = {}


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
        if self._is_old_news(state, watch, writes=writes):
            return
        frame = frame_above(FRAMES_UP)
        access = Access(watch, frame.f_code, frame.f_lasti, writes=writes)
        write = state.write
        if write is not None and not watch.knows(write.place, write.time):
            self._report(watch, field, write, access)
        if writes:
            self._write(state, watch, field, access)
        else:
            self._read(state, watch, access)

    @staticmethod
    def _is_old_news(state: FieldState, watch: TaskWatch, *, writes: bool) -> bool:
        """Say whether the task did the same or more since its last stamp, and nobody else did anything since."""
        write = state.write
        if write is not None and write.place == watch.place and write.time == watch.time:
            return not (writes and state.reads)
        read = None if writes else state.reads.get(watch.place)
        return read is not None and read.time == watch.time

    def _write(self, state: FieldState, watch: TaskWatch, field: Field, access: Access) -> None:
        state.write = access
        if reads := state.reads:
            state.reads = {}
            for read in list(reads.values()):
                if not watch.knows(read.place, read.time):
                    self._report(watch, field, read, access)

    @staticmethod
    def _read(state: FieldState, watch: TaskWatch, access: Access) -> None:
        reads = state.reads
        if len(reads) == 1 and all(watch.knows(read.place, read.time) for read in list(reads.values())):
            state.reads = {access.place: access}
        else:
            reads[access.place] = access

    def _report(self, watch: TaskWatch, field: Field, first: Access, second: Access) -> None:
        if first.is_over is not None and first.is_over():
            # A thread that is not ours, and has ended: whoever started it may know that, by ways we do not see.
            self._clocks.learn_of_end(watch, first.place)
            return
        key = (field, first.code, first.instruction, second.code, second.instruction)
        if key not in self._reported:
            self._reported.add(key)
            self.found.append(Race(field.label, first, second))
