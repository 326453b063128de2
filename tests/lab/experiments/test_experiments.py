"""Files that are no scenario: who carries them out, and how the command ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from fencepost.errors import BadInput
from fencepost.lab import cli, experiments
from fencepost.lab.command import Status
from fencepost.lab.experiments import experiment_in
from fencepost.lab.scenario_file import load_scenario
from fencepost.lab.toml_file import TomlFile

SAYS_SO = '\nexperiment = "tide"\n'


@dataclass(frozen=True)
class Tide:
    interrupted: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"tide": "high"}

    def show(self, console: Console) -> None:
        console.print("the tide is high")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[TomlFile]:
    """Have one experiment, `tide`; return the files that it was given."""
    files: list[TomlFile] = []

    def tide(file: TomlFile) -> Tide:
        files.append(file)
        return Tide(interrupted=file.parsed.get("ebb", False))

    monkeypatch.setattr(experiments, "EXPERIMENTS", {"tide": tide})
    return files


@pytest.fixture
def compare(tmp_path: Path, seen: list[TomlFile]) -> Callable[..., Result]:
    """Give a function that compares what a text says, with options."""
    assert not seen

    def compare(text: str, *options: str) -> Result:
        path = tmp_path / "a.toml"
        path.write_text(text)
        return CliRunner().invoke(cli.app, ["compare", str(path), *options], catch_exceptions=False)

    return compare


def test_an_experiment_is_shown(compare: Callable[..., Result], seen: list[TomlFile]) -> None:
    result = compare(SAYS_SO)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "the tide is high\n", "")
    assert [file.path.name for file in seen] == ["a.toml"]


def test_its_facts_are_written(compare: Callable[..., Result], tmp_path: Path) -> None:
    assert json.loads(compare(SAYS_SO, "--json", "-").stdout) == {"tide": "high"}
    result = compare(SAYS_SO, "--json", str(tmp_path / "a.json"))
    assert result.stdout.splitlines() == ["the tide is high", f"json in {tmp_path / 'a.json'}"]


def test_one_that_was_interrupted_says_so(compare: Callable[..., Result]) -> None:
    assert compare(f"{SAYS_SO}ebb = true").exit_code == Status.INTERRUPTED


@pytest.mark.parametrize(
    "option",
    ["--policy=fair", "--controller=none", "-r=1", "-s=1", "--world=virtual", "--dispatch=thread", "--seed=0"],
)
def test_options_of_scenarios_are_refused(compare: Callable[..., Result], seen: list[TomlFile], option: str) -> None:
    result = compare(SAYS_SO, *option.split("="))
    assert (result.exit_code, result.stdout, seen) == (2, "", [])
    (line,) = result.stderr.splitlines()
    assert line.endswith("expected none for an experiment, whose file says it all")


def test_nothing_is_done_for_a_file_that_cannot_be_written(
    compare: Callable[..., Result], seen: list[TomlFile]
) -> None:
    assert compare(SAYS_SO, "--json", "no/a.json").exit_code == 2
    assert seen == []


@pytest.mark.parametrize(("name", "found"), [('"ebb"', '"ebb"'), ("3", "no text")])
def test_an_unknown_experiment_is_refused(compare: Callable[..., Result], name: str, found: str) -> None:
    result = compare(f"\n\nexperiment = {name}")
    assert result.exit_code == 2
    assert f"a.toml:3: experiment: found {found}, expected one of tide" in result.stderr


def test_an_experiment_is_no_scenario(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(SAYS_SO)
    with pytest.raises(BadInput, match=r"a\.toml:2: experiment: found an experiment, expected a scenario"):
        load_scenario(path)


def test_a_scenario_is_no_experiment(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("policy = 'fair'")
    assert experiment_in(TomlFile.read(path)) is None
