"""How a person sees what mapping a buffer on several GPUs came to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fencepost.lab.experiments.multi_gpu_races import RaceResult
from fencepost.lab.experiments.multi_gpu_stage import Moment, Observation
from fencepost.lab.experiments.multi_gpu_storm import StormResult
from fencepost.lab.screen import new_table
from fencepost.lab.spelling import NONE, count, figure

if TYPE_CHECKING:
    from fencepost.lab.experiments.multi_gpu_map import MultiGpuOutcome

__all__ = ["show"]

Row = tuple[str, ...]

LEGEND: Final = (
    "mapped: GPUs whose page tables have the buffer, or will; usable: GPUs that can rely on it",
    "told: what the client knows besides the answer: n_success, a fence, or how it went on each GPU (? not known)",
    "meanwhile: when the signal had been handled, while the engine hung, or before the second call",
    "early uses: by GPU 0 before the call returned; lost: it could not use any more what it had used",
    "overtaken: the call returned 0 for what another call had undone by then",
)


def show(console: Console, outcome: MultiGpuOutcome) -> None:
    """Print a table for each event, in which designs that did the same share a row, one for storms, one for races."""
    setup = outcome.setup
    console.print(Text(outcome.title, style="bold"))
    console.print(
        f"{setup.gpus} GPUs, {figure(setup.dispatch_us / 1000)} ms to dispatch to each,"
        f" {figure(setup.update_us / 1000)} ms to wait; k = {setup.fail_at}; virtual world\n"
    )
    for event in dict.fromkeys(each.event for each in outcome.observations):
        console.print(Text(event, style="bold"))
        console.print(_event_table([each for each in outcome.observations if each.event == event]), "")
    if outcome.storms:
        console.print(Text(f"a storm of signals, for {figure(outcome.storm_s)} s", style="bold"))
        console.print(_storm_table(outcome.storms), "")
    for event in dict.fromkeys(each.event for each in outcome.races):
        console.print(Text(f"{event}, at any moment", style="bold"))
        console.print(_race_table([each for each in outcome.races if each.event == event]), "")
    for line in LEGEND:
        console.print(Text(line, style="dim"))
    for line in _remarks(outcome):
        console.print(Text(line, style="yellow"))


def _event_table(observations: Iterable[Observation]) -> Table:
    table = new_table("design", "answer", "at ms")
    for heading in ("calls", "again", "dispatched"):
        table.add_column(heading, justify="right")
    for heading in ("mapped", "usable", "told", "meanwhile"):
        table.add_column(heading)
    for designs, cells in _shared((each.design, _event_cells(each)) for each in observations):
        table.add_row(designs, *cells)
    return table


def _event_cells(seen: Observation) -> Row:
    return (
        seen.error or "never",
        NONE if seen.ended_ms is None else figure(seen.ended_ms),
        count(seen.syscalls),
        count(seen.restarts),
        count(seen.dispatches),
        _numbers(seen.at_end.mapped),
        _numbers(seen.at_end.usable),
        _told(seen.at_end),
        "; ".join(_notes(seen)) or NONE,
    )


def _notes(seen: Observation) -> Iterator[str]:
    if seen.between is not None:
        yield f"mapped {_numbers(seen.between.mapped)}"
        if seen.between.usable:
            yield f"usable {_numbers(seen.between.usable)}"
        if _told(seen.between) != NONE:
            yield f"told {_told(seen.between)}"
    if seen.polls:
        yield f"{seen.polls} polls in vain"
    if seen.early_touches:
        yield f"{seen.early_touches} early uses"
    if seen.lost_pages:
        yield f"{seen.lost_pages} lost"


def _storm_table(storms: Sequence[StormResult]) -> Table:
    table = new_table("design")
    for heading in ("every ms", "done at ms", "again", "dispatched"):
        table.add_column(heading, justify="right")
    periods = dict.fromkeys(each.period_ms for each in storms)
    for period_ms in periods:
        rows = ((each.design, _storm_cells(each)) for each in storms if each.period_ms == period_ms)
        for designs, cells in _shared(rows):
            table.add_row(designs, *cells)
    return table


def _storm_cells(seen: StormResult) -> Row:
    ended = "never" if seen.ended_ms is None else figure(seen.ended_ms)
    return figure(seen.period_ms), ended, count(seen.restarts), count(seen.dispatches)


def _race_table(races: Iterable[RaceResult]) -> Table:
    table = new_table("design", "what came of it")
    table.add_column("schedules", justify="right")
    table.add_column("of")
    for race in races:
        scope = race.scope or "more"
        for place, outcome in enumerate(race.outcomes):
            cells = (race.design, count(race.schedules), scope) if not place else ("", "", "")
            table.add_row(cells[0], ", ".join(_facts(outcome)), *cells[1:])
    return table


def _facts(outcome: Iterable[tuple[str, object]]) -> Iterator[str]:
    for what, value in outcome:
        if isinstance(value, bool):
            if value:
                yield what
        elif isinstance(value, tuple):
            yield f"{what} {_numbers(cast('tuple[int, ...]', value))}"
        else:
            yield f"{what} {value}"


def _shared(rows: Iterable[tuple[str, Row]]) -> Iterator[tuple[str, Row]]:
    """Yield each row once, with all who have it."""
    owners: dict[Row, list[str]] = {}
    for owner, cells in rows:
        owners.setdefault(cells, []).append(owner)
    for cells, names in owners.items():
        yield ", ".join(names), cells


def _numbers(numbers: Sequence[int]) -> str:
    """Spell rising numbers with their stretches put together: `0-2 4`."""
    stretches: list[list[int]] = []
    for number in numbers:
        if stretches and number == stretches[-1][-1] + 1:
            stretches[-1].append(number)
        else:
            stretches.append([number])
    return " ".join(f"{each[0]}-{each[-1]}" if len(each) > 1 else str(each[0]) for each in stretches) or NONE


def _told(moment: Moment) -> str:
    if moment.n_success is not None:
        return f"n={moment.n_success}"
    if moment.status is not None:
        runs = [(status or "?", len(list(same))) for status, same in groupby(moment.status)]
        return " ".join(status if times == 1 else f"{times}x{status}" for status, times in runs)
    if moment.fence is not None:
        return "a fence" if moment.fence else "no fence"
    return NONE


def _remarks(outcome: MultiGpuOutcome) -> Iterator[str]:
    for design, violations in (
        *((each.design, each.violations) for each in outcome.observations),
        *((each.design, each.violations) for each in outcome.storms),
    ):
        yield from (f"{design}: broken: {violation}" for violation in violations)
    for race in outcome.races:
        if race.found:
            yield f"{race.design}, {race.event}: {race.found}"
    if outcome.interrupted:
        yield "interrupted: these are the results so far"
