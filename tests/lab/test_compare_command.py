"""`fencepost compare` over policies and controllers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fencepost.lab import cli
from tests.lab.kit import interrupted

SCENARIO = """
title = "A test"
world = "virtual"
duration_s = 0.1
engines = { rcs = 1 }
[cgroup.fore]
drm.weight = 300
[cgroup.back]
[[client]]
name = "game"
steps = "1.RCS.1000.0.1, p.5000"
cgroup = "fore"
[[client]]
name = "hog"
steps = "q.2, 1.RCS.1000.0.0"
background = true
cgroup = "back"
"""

ALL = "none,rfc-priority,rfc-budget,rfc-budget-faithful,v6,v8,hweight"


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    path = tmp_path / "a.toml"
    path.write_text(SCENARIO)
    return str(path)


def compare(scenario: str, *options: str) -> Result:
    return CliRunner().invoke(cli.app, ["compare", scenario, *options], catch_exceptions=False)


def pairs(result: Result) -> list[tuple[str, str]]:
    return [(run["policy"], run["controller"]) for run in json.loads(result.stdout)["runs"]]


def test_all_controllers_stand_side_by_side(scenario: str) -> None:
    facts = json.loads(compare(scenario, "--controller", ALL, "--json", "-").stdout)
    assert ",".join(run["controller"] for run in facts["runs"]) == ALL
    assert {run["policy"] for run in facts["runs"]} == {"fair"}
    assert [run["driver"] for run in facts["runs"]] == ["i915"] * 5 + ["amdgpu", "i915"]
    assert all([group["path"] for group in run["cgroups"]] == ["/", "/fore", "/back"] for run in facts["runs"])


def test_the_table_names_controllers_and_groups(scenario: str) -> None:
    lines = compare(scenario, "--controller", "none,hweight").stdout.splitlines()
    assert lines[3].split() == ["none", "hweight"]
    assert any(line.split() == ["group", "weight", "none", "hweight"] for line in lines)


def test_policies_are_all_unless_controllers_are_compared(scenario: str) -> None:
    assert pairs(compare(scenario, "--json", "-")) == [("rr", "none"), ("fifo", "none"), ("fair", "none")]
    assert pairs(compare(scenario, "--controller", "v6", "--json", "-")) == [("fair", "v6")]


def test_the_controller_is_the_scenarios_unless_somebody_says_otherwise(scenario: str) -> None:
    Path(scenario).write_text(f'controller = "v6"\n{SCENARIO}')
    assert pairs(compare(scenario, "--policy", "rr,fair", "--json", "-")) == [("rr", "v6"), ("fair", "v6")]


def test_impossible_pairs_are_left_out_and_told_of(scenario: str) -> None:
    options = ("--policy", "rr,fair", "--controller", "none,v8,hweight")
    result = compare(scenario, *options)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[3].split() == ["rr", "fair", "fair/v8", "fair/hweight"]
    assert "left out: rr/v8, rr/hweight: such a controller changes the policy fair\n" in result.stdout
    assert pairs(compare(scenario, *options, "--json", "-")) == [
        ("rr", "none"),
        ("fair", "none"),
        ("fair", "v8"),
        ("fair", "hweight"),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--controller", "best"), '--controller: found "best", expected one of none, '),
        (("--controller", "v6,v6"), "--controller: found v6 twice, expected each once"),
        (
            ("--policy", "rr,fifo", "--controller", "v8,hweight"),
            "--policy: found rr, fifo, expected fair, which v8, hweight takes",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(scenario: str, options: tuple[str, ...], message: str) -> None:
    result = compare(scenario, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert message in line


@pytest.mark.slow
@pytest.mark.parametrize("world", ["native", "virtual"])
def test_ctrl_c_between_controllers_leaves_the_results_so_far(scenario: str, tmp_path: Path, world: str) -> None:
    facts = tmp_path / "a.json"
    args = ["compare", scenario, "--controller", ALL, "--world", world, "-s", "80000", "--json", str(facts)]
    out = interrupted(args, run=2)
    assert b"rfc-priority: interrupted: these are the results so far" in out
    whole, cut = json.loads(facts.read_text())["runs"]
    assert (whole["controller"], whole["interrupted"]) == ("none", False)
    assert (cut["controller"], cut["interrupted"]) == ("rfc-priority", True)
    assert cut["threads"]["left"] == 0
