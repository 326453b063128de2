"""The experiment `long-running`: designs for long-running work, beside the ways in which it deadlocks.

experiment = "long-running"
schedules = 100
complete_up_to = 160
search = "mix"
rounds = 1000

Everything that is told was seen: each design plays each scene in worlds of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field
from rich.console import Console

from fencepost.hw.long_running.designs import DESIGNS, Design
from fencepost.lab.experiments.gather import gather
from fencepost.lab.experiments.long_running_cells import PLAYS, Played, play
from fencepost.lab.experiments.long_running_report import show
from fencepost.lab.experiments.long_running_runs import Search
from fencepost.lab.experiments.long_running_thrash import THRASHERS, Thrash, ThrashResult, thrash
from fencepost.lab.experiments.search_fields import MAX_SCHEDULES, Schedules, SearchFields, SearchStrategy, check_search
from fencepost.lab.toml_file import TomlFile

__all__ = ["LongRunningOutcome", "LongRunningTable", "long_running"]

MAX_ROUNDS: Final = 100_000
MAX_WORK_US: Final = 100_000

_NAMES: Final = tuple(design.name for design in DESIGNS)


def _is_design(name: str) -> str:
    if name not in _NAMES:
        raise ValueError(name)
    return name


_Design: TypeAlias = Annotated[str, Field(description=f"one of {', '.join(_NAMES)}"), AfterValidator(_is_design)]
_Pause: TypeAlias = Annotated[float, Field(ge=0, le=1000, description="milliseconds, from 0 to 1000")]


class LongRunningTable(SearchFields):
    """What such a file may hold."""

    experiment: Annotated[Literal["long-running"], Field(description="long-running")]
    title: Annotated[str, Field(min_length=1, description="a text")] = "Long-running work beside work with fences"
    designs: Annotated[list[_Design], Field(min_length=1, description=f"a list of {', '.join(_NAMES)}")] = Field(
        default_factory=lambda: [*_NAMES]
    )
    search: SearchStrategy = "mix"
    schedules: Schedules = 100
    complete_up_to: Annotated[
        int, Field(ge=0, le=MAX_SCHEDULES, description=f"a whole number from 0 to {MAX_SCHEDULES}")
    ] = 160
    work_us: Annotated[int, Field(ge=1, le=MAX_WORK_US, description=f"a whole number from 1 to {MAX_WORK_US}")] = 1000
    rounds: Annotated[int, Field(ge=1, le=MAX_ROUNDS, description=f"a whole number from 1 to {MAX_ROUNDS}")] = 1000
    min_run_ms: _Pause = 0.1
    back_off_ms: _Pause = 0.1


@dataclass(frozen=True, slots=True)
class LongRunningOutcome:
    """What came of it.

    Attributes:
        title, designs: from the file.
        played: of each scene, for each design.
        thrashed: of T6-10, for each design, with each pause.
        interrupted: whether there would have been more.
    """

    title: str
    designs: tuple[str, ...]
    played: tuple[Played, ...]
    thrashed: tuple[ThrashResult, ...]
    interrupted: bool

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a JSON file."""
        return {
            "experiment": "long-running",
            "title": self.title,
            "designs": [*self.designs],
            "scenes": [each.as_json() for each in self.played],
            "thrash": [each.as_json() for each in self.thrashed],
            "interrupted": self.interrupted,
        }

    def show(self, console: Console) -> None:
        """Print the same facts."""
        show(console, self)


def long_running(file: TomlFile) -> LongRunningOutcome:
    """Run the experiment that a file describes. Client context, main thread.

    Raises BadInput for a file that is not as it should be; nothing has run then.
    """
    table = _checked(file)
    found, interrupted = gather(list(_runs(table)))
    return LongRunningOutcome(
        title=table.title,
        designs=tuple(dict.fromkeys(table.designs)),
        played=tuple(each for each in found if isinstance(each, Played)),
        thrashed=tuple(each for each in found if isinstance(each, ThrashResult)),
        interrupted=interrupted,
    )


def _checked(file: TomlFile) -> LongRunningTable:
    table = file.table(LongRunningTable)
    check_search(file, table)
    return table


def _runs(table: LongRunningTable) -> Iterator[Callable[[], Played | ThrashResult]]:
    search = Search(table.schedules, table.search, table.seed, table.complete_up_to)
    for test, variant, design in PLAYS:
        if design.name in table.designs:
            yield partial(play, test, variant, design, search)
    for design in THRASHERS:
        if design.name in table.designs:
            for what in _pauses(table, design):
                yield partial(thrash, design, what)


def _pauses(table: LongRunningTable, design: type[Design]) -> Iterator[Thrash]:
    """Yield what is done with memory for both, and then with each pause that a design knows."""
    yield Thrash(table.work_us, table.rounds, room=True)
    min_runs_us = (0.0, 1000 * table.min_run_ms) if design.knows_min_run else (0.0,)
    back_offs_us = (0.0, 1000 * table.back_off_ms) if design.knows_back_off else (0.0,)
    for pauses in dict.fromkeys(product(min_runs_us, back_offs_us)):
        yield Thrash(table.work_us, table.rounds, *pauses)
