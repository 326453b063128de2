"""`fencepost compare`: a scenario under several policies and controllers, or an experiment that compares by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

import typer

from fencepost.actors.cgroups import CONTROLLERS
from fencepost.errors import BadInput
from fencepost.lab.cgroups import goes_with
from fencepost.lab.command import Status, carried_out, end, tell_files
from fencepost.lab.comparison import Comparison, print_comparison
from fencepost.lab.experiments import Experiment, experiment_in
from fencepost.lab.logs import LogLevel, set_up_logs
from fencepost.lab.options import (
    Controllers,
    Dispatch,
    Json,
    Level,
    Plot,
    Policies,
    Repeats,
    Scenario,
    Seconds,
    Seed,
    World,
)
from fencepost.lab.outputs import Outputs
from fencepost.lab.overrides import Overrides, choices
from fencepost.lab.plot import plot_shares
from fencepost.lab.scenario_file import scenario_in
from fencepost.lab.screen import new_console
from fencepost.lab.setup import Setup
from fencepost.lab.toml_file import TomlFile
from fencepost.policies import POLICIES

__all__ = ["compare"]

Pair: TypeAlias = tuple[str, str]
"""A policy and a controller."""


def compare(
    scenario: Scenario,
    *,
    policy: Policies = None,
    controller: Controllers = None,
    repeats: Repeats = None,
    seconds: Seconds = None,
    world: World = None,
    dispatch: Dispatch = None,
    seed: Seed = None,
    plot: Plot = None,
    json: Json = None,
    log_level: Level = LogLevel.WARNING,
) -> None:
    """Run one scenario under several policies or controllers and print side by side what each client got.

    A file that says `experiment = NAME` is carried out as that experiment says.
    """
    set_up_logs(log_level)
    outputs = Outputs(json, plot=plot)
    file = TomlFile.read(scenario)
    experiment = experiment_in(file)
    if experiment is not None:
        _refuse(
            {
                "--policy": policy,
                "--controller": controller,
                "--repeats": repeats,
                "--seconds": seconds,
                "--world": world,
                "--dispatch": dispatch,
                "--seed": seed,
                "--plot": plot,
            }
        )
        _carry_out(experiment, file, outputs)
        return
    overrides = Overrides(repeats=repeats, duration_s=seconds, world=world, dispatch=dispatch, seed=seed)
    setup = overrides.over(scenario_in(file)).setup(keep_events=outputs.need_events)
    pairs, left_out = _pairs(setup, policy, controller)
    outputs.check()
    results = carried_out([replace(setup, policy=policy, controller=controller) for policy, controller in pairs])
    comparison = Comparison(setup.title, tuple(results), tuple(left_out))
    if not outputs.take_stdout:
        print_comparison(new_console(), comparison)
    outputs.write_json(comparison.as_json())
    if plot is not None:
        plot_shares({comparison.name(run): run for run in results}, setup, plot)
    tell_files(outputs)
    end(results)


def _pairs(setup: Setup, policy: str | None, controller: str | None) -> tuple[list[Pair], list[Pair]]:
    """Return who is compared, and who would have been but is impossible.

    Raises:
        BadInput: for an unknown name, and when nobody is left.
    """
    controllers = (setup.controller,) if controller is None else choices(controller, "--controller", (*CONTROLLERS,))
    if policy is not None:
        policies = choices(policy, "--policy", (*POLICIES,))
    else:
        policies = (*POLICIES,) if controllers == ("none",) else (setup.policy,)
    asked = [(policy, controller) for controller in controllers for policy in policies]
    pairs = [pair for pair in asked if goes_with(*pair, setup.submission)]
    if not pairs:
        raise BadInput("--policy", ", ".join(policies), f"fair, which {', '.join(controllers)} takes")
    return pairs, [pair for pair in asked if pair not in pairs]


def _refuse(options: Mapping[str, object]) -> None:
    """Raise BadInput for the first option that was given: an experiment has it all in its file."""
    for option, value in options.items():
        if value is not None:
            raise BadInput(option, str(value), "none for an experiment, whose file says it all")


def _carry_out(experiment: Experiment, file: TomlFile, outputs: Outputs) -> None:
    outputs.check()
    outcome = experiment(file)
    if not outputs.take_stdout:
        outcome.show(new_console())
    outputs.write_json(outcome.as_json())
    tell_files(outputs)
    if outcome.interrupted:
        raise typer.Exit(Status.INTERRUPTED)
