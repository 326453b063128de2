"""The command line: `fencepost run`, `compare`, `explore`, `stress`, `top` and `zoo`.

Exit statuses:

    0    all went well
    1    fencepost itself failed: it prints a traceback, or the invariant that a run broke; or `zoo` missed a bug, or
         `explore` found one, and says which; or `stress` saw what must never happen
    2    something that a person wrote cannot be used; one line says what, and nothing was started
    3    a run ended in a deadlock, and its report is printed
    130  Ctrl-C ended it, with the results so far
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from fencepost.errors import BadInput
from fencepost.hw.engine_classes import parse_engines
from fencepost.lab.command import Status, carried_out, end, tell_files
from fencepost.lab.compare_command import compare
from fencepost.lab.explore_command import explore
from fencepost.lab.logs import LogLevel, set_up_logs
from fencepost.lab.options import (
    Clients,
    Controller,
    CreditLimit,
    Dispatch,
    Engines,
    Json,
    Level,
    OptionalScenario,
    Plot,
    Policy,
    Repeats,
    Seconds,
    Seed,
    Submission,
    Trace,
    Version,
    Workers,
    Workloads,
    World,
)
from fencepost.lab.outputs import Outputs
from fencepost.lab.overrides import Overrides, chosen_scenario, controller_of, policy_of
from fencepost.lab.run_report import print_run
from fencepost.lab.screen import new_console
from fencepost.lab.stress_command import stress_scenario
from fencepost.lab.top.command import top
from fencepost.lab.zoo_command import app as zoo

__all__ = ["Status", "app", "main"]


class _OneLineErrors(TyperGroup):
    """Tells a person's mistake on one line of standard error, whether typer found it or a command."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - typer's signature
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002
        **extra: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        try:
            status = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)  # noqa: FBT003
        except (BadInput, TyperException) as error:
            text = str(error) if isinstance(error, BadInput) else error.format_message()
            typer.echo(f"fencepost: {' '.join(map(str.strip, text.splitlines()))}", err=True)
            status = Status.BAD_INPUT
        if standalone_mode:
            sys.exit(status)
        return status


app = typer.Typer(
    cls=_OneLineErrors,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(zoo, name="zoo")
app.command()(compare)
app.command()(explore)
app.command("stress")(stress_scenario)
app.command()(top)


def main() -> None:
    """Be the program `fencepost`."""
    app(prog_name="fencepost")


@app.callback(invoke_without_command=True)
def _fencepost(context: typer.Context, *, version: Version = False) -> None:
    """A laboratory for GPU scheduling: clients, schedulers and engines as actors, on threads or in virtual time."""
    if version:
        typer.echo(f"fencepost {_version()}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _version() -> str:
    try:
        return metadata.version("fencepost")
    except metadata.PackageNotFoundError:
        return "from a checkout that is not installed"


@app.command()
def run(
    scenario: OptionalScenario = None,
    *,
    workload: Workloads = None,
    clients: Clients = None,
    repeats: Repeats = None,
    seconds: Seconds = None,
    policy: Policy = None,
    controller: Controller = None,
    engines: Engines = None,
    submission: Submission = None,
    credit_limit: CreditLimit = None,
    world: World = None,
    dispatch: Dispatch = None,
    workers: Workers = None,
    seed: Seed = None,
    trace: Trace = None,
    plot: Plot = None,
    json: Json = None,
    log_level: Level = LogLevel.WARNING,
) -> None:
    """Run clients on the simulated GPU and print what each one got.

    Options override what the scenario says; -w adds to its clients.
    """
    set_up_logs(log_level)
    overrides = Overrides(
        count=clients,
        repeats=repeats,
        engines=None if engines is None else parse_engines(engines, "--engines"),
        world=world,
        dispatch=dispatch,
        workers=workers,
        policy=None if policy is None else policy_of(policy),
        submission=submission,
        credit_limit=credit_limit,
        seed=seed,
        duration_s=seconds,
        controller=None if controller is None else controller_of(controller),
    )
    outputs = Outputs(json, trace, plot)
    outputs.check()
    setup = chosen_scenario(scenario, workload or (), overrides).setup(keep_events=outputs.need_events)
    (result,) = carried_out([setup])
    if not outputs.take_stdout:
        print_run(new_console(), result)
    outputs.write_json(result.as_json())
    outputs.write_events(result)
    tell_files(outputs)
    end([result])
