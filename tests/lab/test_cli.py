"""The commands as a person meets them: what they print where, and how they end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fencepost.lab import cli, command
from fencepost.lab.result import RunResult
from fencepost.lab.runner import run
from fencepost.lab.setup import Setup
from tests.lab.kit import interrupted

SCENARIO = """
title = "A test"
world = "virtual"
duration_s = 0.1
engines = { rcs = 1 }
[[client]]
name = "game"
steps = "1.RCS.500-1500.0.1, p.5000"
[[client]]
name = "hog"
steps = "q.2, 1.RCS.1000.0.0"
background = true
"""

MAIN = "from fencepost.lab.cli import main; main()"


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    path = tmp_path / "a.toml"
    path.write_text(SCENARIO)
    return str(path)


def invoke(*args: str) -> Result:
    return CliRunner().invoke(cli.app, args, catch_exceptions=False)


def ended(*args: str, program: str = MAIN, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the real program to its end."""
    command = [sys.executable, "-c", program, *args]
    return subprocess.run(  # noqa: S603 - our own program
        command, capture_output=True, check=False, timeout=30, env={**environment, "PYTHONPATH": ":".join(sys.path)}
    )


# What is printed.


def test_run_prints_tables(scenario: str) -> None:
    result = invoke("run", scenario)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[:2] == ["A test", "fair policy, ring submission, virtual world, thread dispatch, seed 1"]
    assert [line.split()[0] for line in lines if line.startswith(("game", "hog", "rcs0"))] == ["game", "hog", "rcs0"]


def test_options_win_over_the_scenario(scenario: str) -> None:
    options = [
        "--policy",
        "rr",
        "--dispatch",
        "workqueue",
        "--seed",
        "5",
        "-c",
        "2",
        "-r",
        "3",
        "--engines",
        "rcs=1,vcs=1",
        "--controller",
        "v6",
    ]
    facts = json.loads(invoke("run", scenario, *options, "--json", "-").stdout)
    assert [facts[name] for name in ("policy", "dispatch", "seed", "controller")] == ["rr", "workqueue", 5, "v6"]
    assert [(each["client"], each["cycles"]) for each in facts["workloads"][:2]] == [("game-1", 3), ("game-2", 3)]
    assert [engine["name"] for engine in facts["engines"]] == ["rcs0", "vcs0"]


def test_a_workload_runs_without_a_scenario() -> None:
    facts = json.loads(
        invoke("run", "-w", "1.RCS.500.0.1,p.1000", "-s", "0.01", "--world", "virtual", "--json", "-").stdout
    )
    assert [(each["client"], each["cycles"]) for each in facts["workloads"]] == [("steps", 10)]


def test_the_world_is_native_unless_somebody_says_otherwise() -> None:
    assert json.loads(invoke("run", "-w", "d.1,d.1", "--json", "-").stdout)["world"] == "native"


def test_files_are_written_and_named(scenario: str, tmp_path: Path) -> None:
    facts, trace = tmp_path / "a.json", tmp_path / "a.txt"
    result = invoke("run", scenario, "--json", str(facts), "--trace", str(trace))
    assert result.stdout.splitlines()[-2:] == [f"json in {facts}", f"trace in {trace}"]
    assert json.loads(facts.read_text())["title"] == "A test"
    assert "drm_sched_job" in trace.read_text()


@pytest.mark.slow
def test_a_plot_is_drawn(scenario: str, tmp_path: Path) -> None:
    plot = tmp_path / "a.png"
    assert invoke("run", scenario, "--plot", str(plot)).stdout.splitlines()[-1] == f"plot in {plot}"
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_compare_puts_the_policies_side_by_side(scenario: str) -> None:
    result = invoke("compare", scenario, "--policy", "fifo,fair")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[3].split() == ["fifo", "fair"]
    assert [line.split()[0] for line in lines[6:8]] == ["game", "hog"]


def test_compare_tells_json_the_same(scenario: str) -> None:
    facts = json.loads(invoke("compare", scenario, "--controller", "none", "--json", "-").stdout)
    assert [(run["policy"], run["controller"]) for run in facts["runs"]] == [
        ("rr", "none"),
        ("fifo", "none"),
        ("fair", "none"),
    ]


@pytest.mark.parametrize("args", [[], ["--help"], ["-h"], ["run", "--help"], ["compare", "-h"]])
def test_help_fits_80_columns(args: list[str]) -> None:
    result = invoke(*args)
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_the_version_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"fencepost": "1.2.3"}
    monkeypatch.setattr(metadata, "version", versions.__getitem__)
    assert invoke("--version").stdout == "fencepost 1.2.3\n"


def test_a_checkout_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", not_installed)
    assert invoke("--version").stdout == "fencepost from a checkout that is not installed\n"


def not_installed(name: str) -> str:
    raise metadata.PackageNotFoundError(name)


# What a person gets wrong.


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("fly", "No such command 'fly'."),
        ("run --fast", "No such option: --fast"),
        ("run {} --world", "Option '--world' requires an argument."),
        ("run {} extra", "Got unexpected extra argument(s) (extra)"),
        ("run {} -s soon", "Invalid value for '-s' / '--seconds': "),
        ("run {} -c 0", "Invalid value for '-c' / '--clients': "),
        ("run {} --world real", "Invalid value for '--world': "),
        ("run", "command line: found nothing to run, expected a scenario file, or a workload with -w"),
        ("run no.toml", "no.toml: found no file to read (No such file or directory), expected a readable file"),
        ("run -w no.wsim", "no.wsim: found no file to read (No such file or directory), expected a readable file"),
        ("run -w d.1,x.1", '-w:2: step 2 "x.1": found step kind "x", expected '),
        ("run {} --policy best", '--policy: found "best", expected one of rr, fifo, fair'),
        ("run {} --engines gpu=1", "--engines: found engine class 'gpu', expected one of rcs, bcs, vcs, vecs, ccs"),
        ("run {} --engines vcs=1", 'a.toml:8: step 1 "1.RCS.500-1500.0.1": found engine RCS, expected '),
        ("run {} --trace a.trace", "--trace: found a.trace, expected a file name ending in .pftrace or .txt"),
        ("run {} --json no/a.json", "--json: found no/a.json (no directory no), expected a file that can be written"),
        ("compare", "Missing argument 'SCENARIO.toml'."),
        ("run {} --controller best", '--controller: found "best", expected one of none, rfc-priority'),
        (
            "run {} --controller v8 --policy rr",
            "a.toml: found policy rr, expected fair, which the controller v8 changes",
        ),
        ("compare {} --controller best", '--controller: found "best", expected one of none, rfc-priority'),
        ("compare {} --policy fair,fair", "--policy: found fair twice, expected each once"),
    ],
)
def test_a_mistake_is_told_in_one_line(scenario: str, args: str, message: str) -> None:
    result = invoke(*(scenario if arg == "{}" else arg for arg in args.split()))
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("fencepost: ")
    assert message in line


def test_nothing_is_written_for_a_mistake(scenario: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    result = invoke(
        "run", scenario, "--engines", "vcs=1", "--json", str(tmp_path / "a.json"), "--trace", str(tmp_path / "a.txt")
    )
    assert result.exit_code == 2
    assert sorted(tmp_path.iterdir()) == before


# How a run ends otherwise.


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give a function that has each run end with these facts."""

    def end(**facts: Any) -> None:  # noqa: ANN401
        def told(setup: Setup, **observers: Any) -> RunResult:  # noqa: ANN401
            return replace(run(setup, **observers), **facts)

        monkeypatch.setattr(command, "run_setup", told)

    return end


@pytest.mark.parametrize("command", ["run", "compare"])
def test_a_deadlock_is_reported(scenario: str, outcome: Callable[..., None], command: str) -> None:
    outcome(deadlock="nothing can run any more\n  game waits for a fence")
    result = invoke(command, scenario)
    assert result.exit_code == 3
    assert "game" in result.stdout
    assert "deadlock under policy fair: nothing can run any more\n  game waits for a fence\n" in result.stderr


def test_a_broken_invariant_is_told(scenario: str, outcome: Callable[..., None]) -> None:
    outcome(violations=("job 4:1 ran twice",))
    result = invoke("run", scenario)
    assert result.exit_code == 1
    assert result.stderr == "fencepost: broken under policy fair: job 4:1 ran twice\n"


def test_an_interrupted_run_that_also_deadlocked_was_interrupted(scenario: str, outcome: Callable[..., None]) -> None:
    outcome(deadlock="stuck", interrupted=True)
    assert invoke("run", scenario).exit_code == 130


def test_settings_of_the_process_are_as_before(scenario: str) -> None:
    before = sys.getswitchinterval(), signal.getsignal(signal.SIGINT)
    invoke("run", scenario, "--world", "native", "-s", "0.01")
    assert (sys.getswitchinterval(), signal.getsignal(signal.SIGINT)) == before


# The real program.


@pytest.mark.slow
def test_the_same_seed_is_the_same_bytes(scenario: str) -> None:
    one, other = (ended("run", scenario, "--json", "-", PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert (one.returncode, one.stderr) == (0, b"")
    assert one.stdout == other.stdout
    assert one.stdout.endswith(b"}\n")


@pytest.mark.slow
def test_a_pipe_gets_no_colour_and_no_cut_line(scenario: str) -> None:
    result = ended("run", scenario, "-c", "8", COLUMNS="40")
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"\x1b" not in result.stdout
    assert "…" not in result.stdout.decode()


@pytest.mark.slow
def test_a_mistake_leaves_no_traceback() -> None:
    result = ended("run", "no.toml")
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.splitlines() == [
        b"fencepost: no.toml: found no file to read (No such file or directory), expected a readable file"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("world", ["native", "virtual"])
@pytest.mark.parametrize("command", ["run", "compare"])
def test_ctrl_c_ends_a_run_with_the_results_so_far(scenario: str, tmp_path: Path, world: str, command: str) -> None:
    facts = tmp_path / "a.json"
    args = [command, scenario, "--world", world, "-s", "80000", "--json", str(facts)]
    out = interrupted(args)
    assert b"interrupted: these are the results so far" in out
    told = json.loads(facts.read_text())
    (run,) = told["runs"] if command == "compare" else [told]
    assert run["interrupted"]
    assert run["workloads"][0]["cycles"] > 0
