from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fencepost.lab.cli import app
from fencepost.lab.wsim import load

EXAMPLES = Path(__file__).parents[2] / "examples"
EXPERIMENTS = [path for path in EXAMPLES.glob("*.toml") if "experiment" in tomllib.loads(path.read_text("utf-8"))]
SCENARIOS = sorted(set(EXAMPLES.glob("*.toml")).difference(EXPERIMENTS))
WORKLOADS = sorted(EXAMPLES.glob("*.wsim"))


def test_there_are_examples() -> None:
    assert EXAMPLES / "demo.toml" in SCENARIOS
    assert WORKLOADS


@pytest.mark.parametrize("path", [*SCENARIOS, *EXPERIMENTS, *WORKLOADS], ids=lambda path: path.name)
def test_an_example_says_first_what_it_shows(path: Path) -> None:
    assert path.read_text("utf-8").startswith("# Shows ")


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_a_scenario_runs(path: Path) -> None:
    result = CliRunner().invoke(app, ["run", str(path), "-s", "0.2"])
    # Where faults are asked for at random moments of real time, a recovery may be told of.
    said = [line for line in result.stderr.splitlines() if '"event": "recovered"' not in line]
    assert (result.exit_code, said) == (0, [])
    assert result.stdout.startswith(tomllib.loads(path.read_text("utf-8"))["title"])


@pytest.mark.parametrize("path", WORKLOADS, ids=lambda path: path.name)
def test_a_workload_runs(path: Path) -> None:
    result = CliRunner().invoke(app, ["run", "-w", str(path), "--world", "virtual"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert load(path).name in result.stdout
