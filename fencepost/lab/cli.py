"""The command line: `fencepost run`, `compare`, `explore`, `stress` and `zoo`.

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
from contextlib import ExitStack
from dataclasses import replace
from enum import IntEnum
from importlib import metadata
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from fencepost.errors import BadInput
from fencepost.hw.engine_classes import parse_engines
from fencepost.lab.comparison import Comparison, Contender, print_comparison
from fencepost.lab.explore_command import explore
from fencepost.lab.logs import LogLevel, set_up_logs
from fencepost.lab.options import (
    Clients,
    Controllers,
    CreditLimit,
    Dispatch,
    Engines,
    Json,
    Level,
    OptionalScenario,
    Plot,
    Policies,
    Policy,
    Repeats,
    Scenario,
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
from fencepost.lab.overrides import Overrides, choices, chosen_scenario, policy_of
from fencepost.lab.process import CtrlC, short_switch_interval
from fencepost.lab.progress import ProgressBar
from fencepost.lab.result import RunResult
from fencepost.lab.run_report import print_run
from fencepost.lab.runner import run as run_setup
from fencepost.lab.screen import new_console
from fencepost.lab.setup import Setup
from fencepost.lab.stress_command import stress_scenario
from fencepost.lab.zoo_command import app as zoo
from fencepost.policies import POLICIES

__all__ = ["Status", "app", "main"]

ALL_POLICIES: Final = ",".join(POLICIES)
CONTROLLERS: Final = ("none",)
"""Who can share the engines out among clients, beside the policy: in this version nobody."""


class Status(IntEnum):
    """What the program says when it ends."""

    OK = 0
    FAILED = 1
    BAD_INPUT = 2
    DEADLOCK = 3
    INTERRUPTED = 130


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
app.command()(explore)
app.command("stress")(stress_scenario)


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
    )
    outputs = Outputs(json, trace, plot)
    outputs.check()
    setup = chosen_scenario(scenario, workload or (), overrides).setup(keep_events=outputs.need_events)
    (result,) = _carried_out([setup])
    if not outputs.take_stdout:
        print_run(new_console(), result)
    outputs.write_json(result.as_json())
    outputs.write_events(result)
    _tell(outputs)
    _exit([result])


@app.command()
def compare(
    scenario: Scenario,
    *,
    policy: Policies = ALL_POLICIES,
    controller: Controllers = "none",
    repeats: Repeats = None,
    seconds: Seconds = None,
    world: World = None,
    dispatch: Dispatch = None,
    seed: Seed = None,
    json: Json = None,
    log_level: Level = LogLevel.WARNING,
) -> None:
    """Run one scenario under several policies and print side by side what each client got."""
    set_up_logs(log_level)
    policies = choices(policy, "--policy", tuple(POLICIES))
    controllers = choices(controller, "--controller", CONTROLLERS)
    overrides = Overrides(repeats=repeats, duration_s=seconds, world=world, dispatch=dispatch, seed=seed)
    outputs = Outputs(json)
    outputs.check()
    setup = chosen_scenario(scenario, (), overrides).setup()
    pairs = [(controller, policy) for controller in controllers for policy in policies]
    results = _carried_out([replace(setup, policy=policy) for _, policy in pairs])
    contenders = [Contender(controller, result) for (controller, _), result in zip(pairs, results, strict=False)]
    comparison = Comparison(setup.title, tuple(contenders))
    if not outputs.take_stdout:
        print_comparison(new_console(), comparison)
    outputs.write_json(comparison.as_json())
    _tell(outputs)
    _exit(results)


def _carried_out(setups: Sequence[Setup]) -> Sequence[RunResult]:
    """Run setups one after the other; the one that a Ctrl-C interrupts is the last."""
    results: list[RunResult] = []
    with ExitStack() as stack:
        stop = stack.enter_context(CtrlC())
        progress = stack.enter_context(ProgressBar(new_console(stderr=True), runs=len(setups)))
        if any(setup.world == "native" for setup in setups):
            stack.enter_context(short_switch_interval())
        for setup in setups:
            results.append(run_setup(setup, progress=progress, stop=stop))
            progress.next_run()
            if results[-1].interrupted:
                break
    return results


def _tell(outputs: Outputs) -> None:
    """Say which files were written, where that is not in the way of the JSON text."""
    if not outputs.take_stdout:
        for option, path in outputs.files():
            typer.echo(f"{option.removeprefix('--')} in {path}")


def _exit(results: Sequence[RunResult]) -> None:
    """End the command with the status of its runs, and say what was not as it should be."""
    for result in results:
        if result.deadlock is not None:
            typer.echo(f"fencepost: deadlock under policy {result.policy}: {result.deadlock}", err=True)
        for violation in result.violations or ():
            typer.echo(f"fencepost: broken under policy {result.policy}: {violation}", err=True)
    if any(result.violations for result in results):
        raise typer.Exit(Status.FAILED)
    if any(result.interrupted for result in results):
        raise typer.Exit(Status.INTERRUPTED)
    if any(result.deadlock is not None for result in results):
        raise typer.Exit(Status.DEADLOCK)
