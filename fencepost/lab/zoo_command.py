"""`fencepost zoo`: which historic bugs there are, how each comes about, and whether the search finds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeAlias

import typer
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from fencepost.checks import Report
from fencepost.checks.strategies import STRATEGIES
from fencepost.lab.logs import LogLevel, set_up_logs
from fencepost.lab.options import Json
from fencepost.lab.outputs import Outputs
from fencepost.lab.process import CtrlC
from fencepost.lab.screen import name, new_console, new_table
from fencepost.lab.spelling import NONE, count, milliseconds
from fencepost.lab.zoo_check import BugResult, check_bug
from fencepost.zoo import REQUIRED, Bug, find_bug, load_bugs

__all__ = ["app"]

FAILED: Final = 1
INTERRUPTED: Final = 130
"""Exit statuses, beside those of every command."""

FACT_WIDTH: Final = 14

Name: TypeAlias = Annotated[str, typer.Argument(metavar="BUG", help="A name that `fencepost zoo list` prints.")]
Names: TypeAlias = Annotated[list[str] | None, typer.Argument(metavar="BUG", help="Which; without a name, all.")]
Seed: TypeAlias = Annotated[int, typer.Option(metavar="N", min=0, help="Of the search.")]
Schedules: TypeAlias = Annotated[int, typer.Option(metavar="N", min=1, help="Within how many schedules to find it.")]
Twin: TypeAlias = Annotated[
    int, typer.Option(metavar="N", min=1, help="How many schedules to try of the model without the bug.")
]

app = typer.Typer(help="Historic bugs, each small enough to be found.")


@app.callback(invoke_without_command=True)
def _zoo(context: typer.Context) -> None:
    # What an actor has to say about a bug, it says in every schedule.
    set_up_logs(LogLevel.ERROR)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("list")
def list_bugs(*, json: Json = None) -> None:
    """Print every bug and what mended it."""
    outputs = checked(json)
    bugs = load_bugs()
    if not outputs.take_stdout:
        table = new_table("bug", "mended by", "which is")
        for bug in bugs:
            table.add_row(Text(bug.name, no_wrap=True), bug.title or bug.repair, bug.fix)
        new_console().print(table)
    outputs.write_json({"bugs": [facts(bug) for bug in bugs]})


@app.command()
def show(bug: Name, *, seed: Seed = 1, schedules: Schedules = 500, json: Json = None) -> None:
    """Explain a bug and print a failing schedule."""
    outputs = checked(json)
    entry = find_bug(bug, "zoo show")
    report = entry.search(schedules, seed=seed)
    if not outputs.take_stdout:
        console = new_console()
        console.print(explanation(entry), Text(f"\n{report}"))
    outputs.write_json({**facts(entry), "schedule": schedule_facts(report)})
    if report.kind not in entry.finds:
        raise typer.Exit(FAILED)


@app.command()
def run(
    bugs: Names = None, *, seed: Seed = 1, schedules: Schedules = 500, twin: Twin = 1000, json: Json = None
) -> None:
    """Search for bugs and print how soon they are found.

    The exit status is 1 when `mix` does not find one, or finds something in a model without its bug.
    """
    outputs = checked(json)
    entries = [find_bug(each, "zoo run") for each in dict.fromkeys(bugs)] if bugs else load_bugs()
    results: list[BugResult] = []
    with CtrlC() as stop, progress_bar() as progress:
        for entry in progress.track(entries, description="searching"):
            if stop.is_set():
                break
            results.append(check_bug(entry, schedules=schedules, twin_schedules=twin, seed=seed))
    if not outputs.take_stdout:
        new_console().print(table_of(results))
        for line in remarks(results):
            typer.echo(line, err=True)
    outputs.write_json({"seed": seed, "schedules": schedules, "bugs": [each.as_json() for each in results]})
    if len(results) < len(entries):
        raise typer.Exit(INTERRUPTED)
    if not all(each.good for each in results):
        raise typer.Exit(FAILED)


def checked(json: str | None) -> Outputs:
    """Return the outputs of a command; BadInput when they cannot be written."""
    outputs = Outputs(json)
    outputs.check()
    return outputs


def progress_bar() -> Progress:
    """Return a bar that is gone at the end, for a terminal. It starts no thread."""
    console = new_console(stderr=True)
    return Progress(console=console, transient=True, auto_refresh=False, disable=not console.is_terminal)


def facts(bug: Bug) -> dict[str, Any]:
    """Return what is known of a bug, for a JSON file."""
    return {
        "name": bug.name,
        "title": bug.title,
        "fix": bug.fix,
        "symptom": bug.symptom,
        "interleaving": bug.interleaving,
        "repair": bug.repair,
        "finds": sorted(bug.finds),
        "timers": bug.timers,
    }


def schedule_facts(report: Report) -> dict[str, Any]:
    """Return what a search came to, for a JSON file."""
    return {
        "found_after": report.schedules if report.found else None,
        "kind": report.kind,
        "message": report.message,
        "replay": report.replay_token,
    }


def explanation(bug: Bug) -> Table:
    """Return what is to be read about a bug."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", width=FACT_WIDTH, no_wrap=True)
    table.add_column()
    for fact in ("name", "title", "fix", "symptom", "interleaving", "repair"):
        table.add_row(fact, Text(getattr(bug, fact) or NONE))
    return table


def table_of(results: Sequence[BugResult]) -> Table:
    """Return a row for each bug, with the schedules until each strategy found it."""
    table = new_table("bug")
    table.add_column("found as", no_wrap=True)
    for heading in (*STRATEGIES, "ms", "fixed twin"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in results:
        required = each.hunts[REQUIRED]
        found_as = required.report.kind or NONE
        until = [count(hunt.report.schedules) if hunt.found else NONE for hunt in each.hunts.values()]
        twin = f"{'not clean' if each.twin.found else 'clean'} in {count(each.twin.schedules)}"
        table.add_row(name(each.bug.name), found_as, *until, milliseconds(required.elapsed_us), twin)
    return table


def remarks(results: Sequence[BugResult]) -> list[str]:
    """Say what is not as it should be, a line each."""
    missed = [each for each in results if not each.hunts[REQUIRED].found]
    unclean = [each for each in results if each.twin.found]
    return [
        *(f"fencepost: {each.bug.name}: {missed_how(each)}" for each in missed),
        *(f"fencepost: {each.bug.name}: the fixed twin: {first_line(each.twin)}" for each in unclean),
    ]


def missed_how(result: BugResult) -> str:
    """Say what was found instead of a bug."""
    report = result.hunts[REQUIRED].report
    if report.found:
        return f"found as {first_line(report)}, expected {' or '.join(sorted(result.bug.finds))}"
    return f"not found in {count(report.schedules)} schedules of {REQUIRED}"


def first_line(report: Report) -> str:
    """Return what a report begins with, and how to have it again."""
    return f"{str(report).splitlines()[0]}; replay: {report.replay_token}"
