"""`fencepost explore` as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fencepost.lab import cli

MODELS = """
import random
from fencepost.sync import current

NUMBER = 42

class Counter:
    def __init__(self):
        self.lock, self.number = current().lock(), 0

    def get(self):
        with self.lock:
            return self.number

    def set(self, number):
        with self.lock:
            self.number = number

    def add(self):
        with self.lock:
            self.number += 1

def broken(runtime):
    counter = Counter()
    tasks = [runtime.spawn(lambda: counter.set(counter.get() + 1), name) for name in ("left", "right")]
    for task in tasks:
        task.join()
    assert counter.get() == 2, "an update was lost"

def fixed(runtime):
    counter = Counter()
    tasks = [runtime.spawn(counter.add, name) for name in ("left", "right")]
    for task in tasks:
        task.join()
    assert counter.get() == 2

def moody(runtime):
    for _ in range(random.randrange(1000)):
        Counter().get()
"""


@pytest.fixture
def models(tmp_path: Path) -> Path:
    path = tmp_path / "some_models.py"
    path.write_text(MODELS)
    return path


def invoke(*args: object) -> Result:
    return CliRunner().invoke(cli.app, ["explore", *map(str, args)], catch_exceptions=False)


def test_a_find_is_reported_and_can_be_replayed(models: Path) -> None:
    result = invoke(f"{models}:broken")
    assert result.exit_code == 1
    assert "an update was lost (some_models.py:" in result.stdout
    assert "takes lock main." in result.stdout
    token = result.stdout.split("--replay ")[1].strip()
    again = invoke(f"{models}:broken", "--replay", token)
    assert again.exit_code == 1
    assert "an update was lost" in again.stdout


def test_nothing_found_is_told_with_what_was_tried(models: Path) -> None:
    result = invoke(f"{models}:fixed", "--schedules", 50)
    assert (result.exit_code, result.stdout) == (0, "nothing found in 50 schedules\n")
    result = invoke(f"{models}:fixed", "--strategy", "dfs9")
    assert result.exit_code == 0
    assert result.stdout.endswith("schedules, all there are\n")


def test_a_module_is_found_beside_the_caller(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(models.parent)
    assert invoke("some_models:broken").exit_code == 1


def test_the_same_facts_as_json(models: Path) -> None:
    result = invoke(f"{models}:broken", "--json", "-")
    facts = json.loads(result.stdout)
    assert result.exit_code == 1
    assert facts["found"] is True
    assert facts["kind"] == "assertion"
    assert facts["replay"].startswith("never.")
    assert {step["task"] for step in facts["steps"]} == {"main", "left", "right"}


def test_a_trace_of_the_failing_schedule(models: Path, tmp_path: Path) -> None:
    trace = tmp_path / "out.pftrace"
    assert invoke(f"{models}:broken", "--trace", trace).exit_code == 1
    content = trace.read_bytes()
    assert all(name in content for name in (b"left", b"right", b"gives back lock", b"an update was lost"))


def test_no_trace_without_a_find(models: Path, tmp_path: Path) -> None:
    trace = tmp_path / "out.pftrace"
    assert invoke(f"{models}:fixed", "--schedules", 5, "--trace", trace).exit_code == 0
    assert not trace.exists()


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("nothing", (), "expected package.module:function or path/file.py:function"),
        ("no.such.module:model", (), "no.such.module, which cannot be imported (ModuleNotFoundError"),
        ("missing.py:model", (), "missing.py (no such file)"),
        ("{models}:missing", (), "no missing in"),
        ("{models}:NUMBER", (), "of the type int"),
        ("{models}:fixed", ("--strategy", "luck"), "'luck'"),
        ("{models}:fixed", ("--timers", "slack"), "'slack'"),
        ("{models}:fixed", ("--replay", "never.x"), "a replay token"),
        ("{models}:fixed", ("--replay", "never.900-7"), "could not be made"),
        ("{models}:fixed", ("--trace", "x.txt"), "ending in .pftrace"),
        ("{models}:moody", (), "the same choices must lead to the same steps"),
    ],
)
def test_a_mistake_is_told_on_one_line(models: Path, model: str, options: tuple[str, ...], said: str) -> None:
    result = invoke(model.replace("{models}", str(models)), *options)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert said in result.stderr
