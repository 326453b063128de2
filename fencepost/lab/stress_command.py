"""`fencepost stress`: one scenario with many seeds, in several processes, watched and judged."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import typer
from rich.progress import Progress
from rich.table import Table

from fencepost.lab.logs import LogLevel, set_up_logs
from fencepost.lab.options import Dispatch, Json, Level, Scenario, Seconds, Seed, World
from fencepost.lab.outputs import Outputs
from fencepost.lab.overrides import Overrides, chosen_scenario
from fencepost.lab.process import CtrlC, short_switch_interval
from fencepost.lab.screen import new_console, new_table
from fencepost.lab.setup import Setup
from fencepost.lab.spelling import count, figure
from fencepost.lab.stress import StressRun, stress
from fencepost.lab.workers import Died, Workers

__all__ = ["stress_scenario"]

FAILED: Final = 1
INTERRUPTED: Final = 130
"""Exit statuses, beside those of every command."""

Seeds: TypeAlias = Annotated[
    int, typer.Option(metavar="N", min=1, max=1_000_000, help="How many seeds, from --seed on, one run each.")
]
Processes: TypeAlias = Annotated[
    int | None, typer.Option("--workers", metavar="N", min=1, max=1000, help="Processes. Default: one for each core.")
]
Observe: TypeAlias = Annotated[
    bool, typer.Option("--observe/--no-observe", help="Watch native runs for races, lock order and stalls.")
]


def stress_scenario(
    scenario: Scenario,
    *,
    seeds: Seeds = 10,
    workers: Processes = None,
    seconds: Seconds = None,
    world: World = None,
    dispatch: Dispatch = None,
    seed: Seed = None,
    observe: Observe = True,
    json: Json = None,
    log_level: Level = LogLevel.ERROR,
) -> None:
    """Run a scenario with many seeds and look for everything that must never happen.

    A run that is killed, or dies, counts as one that failed; the others go on.
    """
    set_up_logs(log_level)
    outputs = Outputs(json)
    outputs.check()
    overrides = Overrides(duration_s=seconds, world=world, dispatch=dispatch, seed=seed)
    first = chosen_scenario(scenario, (), overrides).setup(keep_events=True, observe=observe)
    # A mapping that is read-only cannot be sent to another process.
    first = replace(first, engines=dict(first.engines))
    setups = [replace(first, seed=number) for number in range(first.seed, first.seed + seeds)]
    runs, interrupted = carried_out(setups, workers or os.cpu_count() or 1, log_level)
    if not outputs.take_stdout:
        print_runs(scenario, first, runs)
    outputs.write_json(facts(first, runs, interrupted=interrupted))
    if any(run.problems for run in runs):
        raise typer.Exit(FAILED)
    if interrupted:
        raise typer.Exit(INTERRUPTED)


def carried_out(setups: Sequence[Setup], workers: int, log_level: LogLevel) -> tuple[list[StressRun], bool]:
    """Run setups side by side; return what came of them in the order of their seeds, and whether Ctrl-C ended it."""
    runs: list[StressRun] = []
    console = new_console(stderr=True)
    with (
        CtrlC() as stop,
        Workers(partial(run_seed, log_level), min(workers, len(setups))) as crew,
        Progress(console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("seeds", total=len(setups))
        for setup, result in crew.results(setups, stop.is_set):
            runs.append(lost(setup.seed, result) if isinstance(result, Died) else result)
            bar.advance(task)
        interrupted = stop.is_set()
    return sorted(runs, key=lambda run: run.seed), interrupted


def run_seed(log_level: LogLevel, setup: Setup) -> StressRun:
    """Do one run, as a worker."""
    set_up_logs(log_level)
    with short_switch_interval():
        return stress(setup)


def lost(seed: int, died: Died) -> StressRun:
    """Return what is to be said of a run that took its worker with it."""
    return StressRun(seed, 0, 0, 0, 0, 0, 0.0, (str(died),))


def print_runs(scenario: Path, setup: Setup, runs: Sequence[StressRun]) -> None:
    """Print the sum of all runs, and each that failed with the command that repeats it."""
    console = new_console()
    console.print(f"{setup.title}: {setup.world} world, {setup.dispatch} dispatch\n")
    table = new_table("seeds")
    for heading in ("jobs", "errored", "cancelled", "faults", "recoveries", "jobs per s", "failed"):
        table.add_column(heading, justify="right", no_wrap=True)
    add_sum(table, runs)
    console.print(table)
    for run in runs:
        for problem in run.problems:
            console.print(f"seed {run.seed}: {problem}", style="red")
    failed = [run.seed for run in runs if run.problems]
    if failed:
        console.print(f"\nagain: fencepost stress {shlex.quote(str(scenario))} --seed {failed[0]} --seeds 1")


def add_sum(table: Table, runs: Sequence[StressRun]) -> None:
    """Add the one line of the table."""
    jobs, wall_s = sum(run.jobs for run in runs), sum(run.wall_s for run in runs)
    table.add_row(
        count(len(runs)),
        count(jobs),
        count(sum(run.errored for run in runs)),
        count(sum(run.cancelled for run in runs)),
        count(sum(run.faults for run in runs)),
        count(sum(run.recoveries for run in runs)),
        figure(jobs / wall_s if wall_s else 0.0),
        count(sum(bool(run.problems) for run in runs)),
    )


def facts(setup: Setup, runs: Sequence[StressRun], *, interrupted: bool) -> dict[str, Any]:
    """Return what the JSON file tells."""
    return {
        "title": setup.title,
        "world": setup.world,
        "dispatch": setup.dispatch,
        "submission": setup.submission,
        "interrupted": interrupted,
        "runs": [asdict(run) for run in runs],
    }
