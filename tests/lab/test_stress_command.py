"""`fencepost stress`: seeds in processes of their own, judged one by one."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fencepost.lab import stress_command
from fencepost.lab.cli import app
from fencepost.lab.logs import LogLevel
from fencepost.lab.runner import run
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.stress import StressRun, problems
from fencepost.lab.wsim import parse_text

SCENARIO = """
title = "Trouble"
world = "virtual"
dispatch = "workqueue"
duration_s = 0.2
timeout_s = 0.01
engines = { rcs = 1 }
[[client]]
name = "draw"
count = 2
steps = "q.2, 1.RCS.100-500.0.0"
[[fault]]
kind = "hang"
target = "any"
every_s = 0.05
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "a.toml"
    path.write_text(SCENARIO, "utf-8")
    return path


def killed_at_seed_2(_log_level: LogLevel, setup: Setup) -> StressRun:
    if setup.seed == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return StressRun(setup.seed, 10, 0, 0, 0, 0, 1.0, ())


def test_each_seed_is_run_once_and_judged(scenario: Path) -> None:
    result = CliRunner().invoke(app, ["stress", str(scenario), "--seeds", "3", "--workers", "2", "--json", "-"])
    assert (result.exit_code, result.stderr) == (0, "")
    facts = json.loads(result.stdout)
    assert [each["seed"] for each in facts["runs"]] == [1, 2, 3]
    assert all(each["problems"] == [] and each["faults"] > 0 and each["jobs"] > 100 for each in facts["runs"])
    assert len({each["jobs"] for each in facts["runs"]}) > 1


def test_a_worker_that_is_killed_fails_its_seed_alone(scenario: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stress_command, "run_seed", killed_at_seed_2)
    result = CliRunner().invoke(app, ["stress", str(scenario), "--seeds", "3", "--workers", "1"])
    assert result.exit_code == 1
    assert "seed 2: the worker was killed by SIGKILL" in result.stdout
    assert result.stdout.endswith(f"again: fencepost stress {scenario} --seed 2 --seeds 1\n")


GOOD = Setup("test", (ClientSetup("c", parse_text("1.RCS.5.0.1", name="c", where="-w")),), world="virtual")


def test_a_good_run_has_no_problems() -> None:
    assert problems(run(GOOD)) == []


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"deadlock": "all wait"}, "deadlock: all wait"),
        ({"violations": ("1:1 was never done",)}, "1:1 was never done"),
        ({"races": ("a race",)}, "a race"),
        ({"lock_order": ("a circle",)}, "a circle"),
        ({"stalls": ("a stall",)}, "a stall"),
    ],
)
def test_what_must_never_happen_is_told(facts: dict[str, Any], told: str) -> None:
    assert problems(replace(run(GOOD), **facts)) == [told]


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"fences_signaled": 1}, "2 fences were armed and 1 signalled"),
        ({"tasks_left": 1}, "1 threads were left"),
        ({"jobs_completed": 0}, "1 jobs were submitted and 0 ended"),
    ],
)
def test_what_does_not_add_up_is_told(counts: dict[str, int], told: str) -> None:
    result = run(GOOD)
    assert problems(replace(result, statistics=replace(result.statistics, **counts))) == [told]
