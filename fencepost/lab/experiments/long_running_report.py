"""How a person sees what the designs for long-running work came to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fencepost.lab.experiments.long_running_cells import LIVELOCK, SAFE, THRASH, Played, agrees, note_on, said_of
from fencepost.lab.experiments.long_running_thrash import ThrashResult
from fencepost.lab.screen import new_table
from fencepost.lab.spelling import NONE, count, figure

if TYPE_CHECKING:
    from fencepost.lab.experiments.long_running import LongRunningOutcome

__all__ = ["show"]

MARK: Final = " *"
THRASH_TEST: Final = "T6-10"

LEGEND: Final = (
    "deadlock: the detector found a circle, or that nothing can move; flagged: the checks report a run without a hang",
    "waits for J: as long as that has the engine; safe: no hang and no report in one run, and no hang in a search",
    f"{MARK.strip()}: not what was said; - does not apply. Only complete searches prove anything",
)


def show(console: Console, outcome: LongRunningOutcome) -> None:
    """Print the table, what was said where it differs, the circles, what was searched, and T6-10."""
    console.print(Text(outcome.title, style="bold"))
    console.print("")
    console.print(_table(outcome), "")
    for title, lines in (
        ("Not what was said", _differences(outcome)),
        ("Circles", _circles(outcome.played)),
        ("Flags, the first of each", _flags(outcome.played)),
        ("Searched without a hang", _searches(outcome.played)),
    ):
        _print(console, title, [*lines])
    if outcome.thrashed:
        console.print(Text("T6-10: two works that do not fit in together", style="bold"))
        console.print(_thrash_table(outcome.thrashed), "")
    for line in LEGEND:
        console.print(Text(line, style="dim"))
    if outcome.interrupted:
        console.print(Text("interrupted: these are the results so far", style="yellow"))


def _print(console: Console, title: str, lines: Sequence[str]) -> None:
    if lines:
        console.print(Text(title, style="bold"))
        for line in lines:
            console.print(Text(f"  {line}"))
        console.print("")


def _table(outcome: LongRunningOutcome) -> Table:
    """Make a row for each scene with what was seen, and what was said below it."""
    table = new_table("test", "what happens", *outcome.designs)
    rows = [*dict.fromkeys((each.test, each.title, each.variant) for each in outcome.played)]
    before = [row for row in rows if _number(row[0]) < _number(THRASH_TEST)]
    for row in before:
        _add_scene(table, outcome, row)
    if outcome.thrashed:
        verdicts = {design: _thrash_verdict(outcome.thrashed, design) for design in _thrashers(outcome)}
        _add(table, THRASH_TEST, "two works take the memory from each other", outcome.designs, verdicts)
    for row in rows[len(before) :]:
        _add_scene(table, outcome, row)
    return table


def _add_scene(table: Table, outcome: LongRunningOutcome, row: tuple[str, str, str]) -> None:
    test, title, variant = row
    verdicts = {each.design: each.verdict for each in outcome.played if (each.test, each.title, each.variant) == row}
    if variant:
        table.add_row("", f"  with {variant}", *(verdicts.get(design, NONE) for design in outcome.designs))
    else:
        _add(table, test, title, outcome.designs, verdicts)


def _add(table: Table, test: str, title: str, designs: Sequence[str], verdicts: Mapping[str, str]) -> None:
    marks = (MARK if design in verdicts and not agrees(test, design, verdicts[design]) else "" for design in designs)
    cells = [verdicts.get(design, NONE) + mark for design, mark in zip(designs, marks, strict=True)]
    table.add_row(test, title, *cells)
    said = [said_of(test, design)[0] for design in designs]
    if any(said):
        table.add_row("", Text("  what was said", style="dim"), *(Text(each or NONE, style="dim") for each in said))


def _number(test: str) -> int:
    return int(test.partition("-")[2])


def _thrashers(outcome: LongRunningOutcome) -> list[str]:
    return [*dict.fromkeys(each.design for each in outcome.thrashed if each.bare)]


def _thrash_verdict(results: Iterable[ThrashResult], design: str) -> str:
    """Return whether work came to its end without pauses: not at all, at the price of a move for each use, or well."""
    bare = next(each for each in results if each.design == design and each.bare)
    if bare.ended_us is None:
        return LIVELOCK
    return THRASH if bare.moves >= bare.done_us / 2 else SAFE


def _differences(outcome: LongRunningOutcome) -> Iterator[str]:
    for each in outcome.played:
        if not each.agrees:
            yield f"{each.test}, {each.design}: {each.verdict}, said was: {each.said}. {each.note}"
    for design in _thrashers(outcome):
        verdict = _thrash_verdict(outcome.thrashed, design)
        if not agrees(THRASH_TEST, design, verdict):
            said, note = said_of(THRASH_TEST, design)[0], note_on(THRASH_TEST, design, verdict)
            yield f"{THRASH_TEST}, {design}: {verdict}, said was: {said}. {note}"


def _circles(played: Iterable[Played]) -> Iterator[str]:
    for each in played:
        if each.cell.stuck:
            circle = each.cell.circle or f"no circle is known: {'; '.join(each.cell.stuck)}"
            yield f"{_name(each)}: {circle}"


def _flags(played: Iterable[Played]) -> Iterator[str]:
    for each in played:
        if each.cell.flags:
            first, _, _ = each.cell.flags[0].partition("; ")
            more = len(each.cell.flags) - 1
            yield f"{_name(each)}: {first}" + (f" (and {more} more)" if more else "")


def _searches(played: Iterable[Played]) -> Iterator[str]:
    scopes: dict[str, list[str]] = {}
    for each in played:
        if each.cell.found:
            yield f"{_name(each)}: {each.cell.found}"
        for scope in each.cell.scopes:
            scopes.setdefault(scope, []).append(_name(each))
    for scope, names in scopes.items():
        yield f"{scope}: {'; '.join(names)}"


def _name(played: Played) -> str:
    variant = f" with {played.variant}" if played.variant else ""
    return f"{played.test}{variant}, {played.design}"


def _thrash_table(results: Iterable[ThrashResult]) -> Table:
    table = new_table("design", "memory")
    for heading in ("min run us", "back-off us", "moves", "done us", "of us", "ended us"):
        table.add_column(heading, justify="right")
    for each in results:
        table.add_row(
            each.design,
            "for both" if each.room else "for 1.4 of them",
            figure(each.min_run_us),
            figure(each.back_off_us),
            count(each.moves),
            figure(each.done_us),
            figure(each.wanted_us),
            "never" if each.ended_us is None else figure(each.ended_us),
        )
    return table
