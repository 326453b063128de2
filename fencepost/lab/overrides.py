"""What options say about a run, and how that changes a scenario."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final, Literal

from fencepost.actors.cgroups import CONTROLLERS
from fencepost.errors import BadInput
from fencepost.lab.scenario import Scenario, ScenarioClient
from fencepost.lab.scenario_file import load_scenario
from fencepost.lab.wsim import Workload, load, parse_text
from fencepost.lab.wsim.refusal import quoted
from fencepost.policies import POLICIES

__all__ = ["Overrides", "choices", "chosen_scenario", "controller_of", "policy_of"]

COMMAND_LINE: Final = "command line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What options put in the place of what a scenario says; None leaves that as it is.

    Args:
        count: of every client.
        repeats: of every client that is not in the background.
        engines, world, dispatch, workers, policy, submission, credit_limit, seed, duration_s, controller: see `Setup`.
    """

    count: int | None = None
    repeats: int | None = None
    engines: Mapping[str, int] | None = None
    world: Literal["native", "virtual"] | None = None
    dispatch: Literal["thread", "workqueue"] | None = None
    workers: int | None = None
    policy: str | None = None
    submission: Literal["ring", "guc", "doorbell"] | None = None
    credit_limit: int | None = None
    seed: int | None = None
    duration_s: float | None = None
    controller: str | None = None

    def over(self, scenario: Scenario) -> Scenario:
        """Return the scenario with these in place."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        given = {name: value for name, value in given.items() if value is not None and name != "count"}
        return replace(scenario, clients=tuple(map(self._over_client, scenario.clients)), **given)

    def _over_client(self, client: ScenarioClient) -> ScenarioClient:
        count = client.count if self.count is None else self.count
        repeats = client.repeats if self.repeats is None or client.background else self.repeats
        return replace(client, count=count, repeats=repeats)


def chosen_scenario(file: Path | None, workloads: Sequence[str], overrides: Overrides) -> Scenario:
    """Return what an argument and options ask for together.

    Args:
        file: a scenario file.
        workloads: of more clients, one each: the path of a file, or steps with commas between them.
        overrides: what other options say.

    Raises:
        BadInput: when something cannot be read, or there is nothing to run.
    """
    if file is None and not workloads:
        raise BadInput(COMMAND_LINE, "nothing to run", "a scenario file, or a workload with -w")
    clients = tuple(map(_client, workloads))
    if file is None:
        scenario = Scenario(COMMAND_LINE, " + ".join(client.name for client in clients), clients)
    else:
        scenario = load_scenario(file)
        scenario = replace(scenario, clients=scenario.clients + clients)
    return overrides.over(scenario)


def choices(text: str, option: str, known: Sequence[str]) -> tuple[str, ...]:
    """Read names with commas between them.

    Raises:
        BadInput: for a name that is not known, or comes twice.
    """
    chosen: list[str] = []
    for name in map(str.strip, text.split(",")):
        if name not in known:
            raise BadInput(option, quoted(name), f"one of {', '.join(known)}" if known[1:] else known[0])
        if name in chosen:
            raise BadInput(option, f"{name} twice", "each once")
        chosen.append(name)
    return tuple(chosen)


def policy_of(text: str) -> str:
    """Check the name of a policy.

    Raises:
        BadInput: there is none of this name.
    """
    return _known(text, "--policy", POLICIES)


def controller_of(text: str) -> str:
    """Check the name of a controller.

    Raises:
        BadInput: there is none of this name.
    """
    return _known(text, "--controller", CONTROLLERS)


def _known(text: str, option: str, known: Collection[str]) -> str:
    if text not in known:
        raise BadInput(option, quoted(text), f"one of {', '.join(known)}")
    return text


def _client(text: str) -> ScenarioClient:
    workload = _workload(text)
    return ScenarioClient(where="-w", workload=workload, name=workload.name, named=False)


def _workload(text: str) -> Workload:
    """Read a workload from its file; no file name has a comma, unless the file is there."""
    if "," in text and not Path(text).is_file():
        return parse_text(text, name="steps", where="-w")
    return load(text)
