"""`fencepost explore`: search the schedules of a model of one's own, and replay what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from fencepost.checks import Report
from fencepost.checks import explore as search
from fencepost.checks.explore import SCHEDULES
from fencepost.errors import BadInput, NotDeterministic
from fencepost.events.whole_file import check_path
from fencepost.lab.logs import LogLevel, set_up_logs
from fencepost.lab.model_loader import load_model
from fencepost.lab.options import Json
from fencepost.lab.outputs import Outputs

__all__ = ["explore"]

FOUND: Final = 1
"""The exit status when something was found."""

_MODEL: Final = typer.Argument(metavar="MODEL", help="package.module:function or path/file.py:function.")
ModelName = Annotated[str, _MODEL]
Schedules = Annotated[int, typer.Option(metavar="N", min=1, help="How many schedules to try at most.")]
StrategyName = Annotated[
    str, typer.Option(metavar="NAME", help="mix, random, pct, pctN (depth), dfs, dfsN (at most N preemptions).")
]
Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Of the search.")]
Timers = Annotated[
    str, typer.Option(metavar="POLICY", help="When deadlines may come too early: never, slackN (N us), free.")
]
Token = Annotated[str | None, typer.Option(metavar="TOKEN", help="Run the schedule of a report again, and no other.")]
ScheduleTrace = Annotated[
    Path | None, typer.Option(metavar="OUT.pftrace", help="Write the failing schedule as a trace for Perfetto.")
]


def explore(
    model: ModelName,
    *,
    schedules: Schedules = SCHEDULES,
    strategy: StrategyName = "mix",
    seed: Seed = 1,
    timers: Timers = "never",
    replay: Token = None,
    trace: ScheduleTrace = None,
    json: Json = None,
) -> None:
    """Run a small model under many schedules, and print the first that goes wrong.

    The exit status is 1 when something was found, and 0 when not.
    """
    outputs = Outputs(json, trace)
    outputs.check()
    if trace is not None:
        check_path(trace, (".pftrace",), "--trace")
    function = load_model(model)
    # What an actor has to say it says in every schedule.
    set_up_logs(LogLevel.ERROR)
    try:
        report = search(function, schedules=schedules, strategy=strategy, seed=seed, timers=timers, replay=replay)
    except NotDeterministic as error:
        raise BadInput(model, str(error), "a model that always does the same") from error
    tell(report, model, outputs)
    if report.found:
        if trace is not None:
            report.write_trace(trace)
        raise typer.Exit(FOUND)


def tell(report: Report, model: str, outputs: Outputs) -> None:
    """Print and write what was found."""
    if not outputs.take_stdout:
        typer.echo(report)
        if report.found:
            typer.echo(f"again: fencepost explore {model} --replay {report.replay_token}")
    outputs.write_json({"model": model, **report.as_json()})
