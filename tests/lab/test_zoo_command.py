"""`fencepost zoo` as a person meets it: what it prints where, and how it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.checks.strategies import STRATEGIES
from fencepost.lab import cli, zoo_command
from fencepost.lab.process import CtrlC
from fencepost.zoo import Bug, find_bug, load_bugs

NAME = "spsc-count-after-link"
OTHER = "last-scheduled-without-barrier"


def invoke(*args: str) -> Result:
    return CliRunner().invoke(cli.app, ["zoo", *args], catch_exceptions=False)


def facts(*args: str) -> dict[str, Any]:
    result = invoke(*args, "--json", "-")
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def harmless(_runtime: Runtime) -> None:
    pass


def harmful(_runtime: Runtime) -> None:
    raise AssertionError("harm")


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch) -> Bug:
    """Give an entry that is found at once, the only one in the zoo."""
    entry = replace(find_bug(NAME), broken=harmful, fixed=harmless, finds=frozenset({Kind.ASSERTION}))
    keep_only(monkeypatch, entry)
    return entry


def keep_only(monkeypatch: pytest.MonkeyPatch, *bugs: Bug) -> None:
    monkeypatch.setattr(zoo_command, "load_bugs", lambda: list(bugs))


# What is printed.


def test_without_a_command_it_explains_itself() -> None:
    result = invoke()
    assert result.exit_code == 0
    assert all(f"\n  {command} " in result.stdout for command in ("list", "show", "run"))


def test_list_has_a_line_for_each_bug() -> None:
    result = invoke("list")
    assert (result.exit_code, result.stderr) == (0, "")
    _heading, _rule, *lines = result.stdout.splitlines()
    for line, bug in zip(lines, load_bugs(), strict=True):
        assert line.startswith(bug.name)
        assert (bug.title or bug.repair) in line
        assert bug.fix in line


def test_list_as_json_explains_each_bug() -> None:
    told = facts("list")["bugs"]
    assert [each["name"] for each in told] == [bug.name for bug in load_bugs()]
    assert {"title", "fix", "symptom", "interleaving", "repair", "finds", "timers"} <= set(told[0])


def test_show_explains_a_bug_and_prints_its_schedule() -> None:
    result = invoke("show", NAME)
    bug = find_bug(NAME)
    assert (result.exit_code, result.stderr) == (0, "")
    assert bug.title is not None
    told = (bug.title, bug.fix, bug.symptom, bug.interleaving, bug.repair)
    assert all(text in result.stdout for text in told)
    assert "main waits for <both jobs done, shut>" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("replay: never.")


def test_show_says_where_no_title_is_known() -> None:
    bug = find_bug("wake-before-clear")
    lines = [line.split() for line in invoke("show", bug.name).stdout.splitlines()]
    assert bug.title is None
    assert ["title", "-"] in lines


def test_show_as_json_has_the_same_facts() -> None:
    told = facts("show", NAME)
    assert told["name"] == NAME
    assert told["schedule"]["kind"] == "deadlock"
    assert told["schedule"]["replay"].startswith("never.")


def test_run_has_a_row_for_each_bug_it_is_asked_for() -> None:
    result = invoke("run", NAME, OTHER, NAME, "--twin", "20")
    assert (result.exit_code, result.stderr) == (0, "")
    heading, _rule, *lines = result.stdout.splitlines()
    assert heading.split() == ["bug", "found", "as", *STRATEGIES, "ms", "fixed", "twin"]
    assert [line.split()[:2] for line in lines] == [[NAME, "deadlock"], [OTHER, "assertion"]]
    assert all(line.endswith("clean in 20") for line in lines)


def test_run_without_a_name_takes_all(bug: Bug) -> None:
    told = facts("run", "--twin", "5")["bugs"]
    assert [each["name"] for each in told] == [bug.name]
    assert told[0]["found_after"] == dict.fromkeys(STRATEGIES, 1)
    assert told[0]["twin"] == {"clean": True, "schedules": 5, "message": ""}


def test_run_writes_the_same_facts_into_a_file(tmp_path: Path) -> None:
    path = tmp_path / "zoo.json"
    assert invoke("run", NAME, "--twin", "5", "--json", str(path)).stdout != ""
    told, again = json.loads(path.read_text())["bugs"], facts("run", NAME, "--twin", "5")["bugs"]
    assert told[0].pop("elapsed_ms") > 0
    assert again[0].pop("elapsed_ms") > 0
    assert told == again


# How it ends when not all is well.


def test_a_bug_that_is_not_found_fails_the_run(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_only(monkeypatch, replace(bug, broken=harmless))
    result = invoke("run", "--schedules", "7", "--twin", "1")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].split()[1:-4] == ["-"] * (1 + len(STRATEGIES))
    assert result.stderr == f"fencepost: {NAME}: not found in 7 schedules of mix\n"


def test_a_bug_that_is_found_as_something_else_fails_the_run(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_only(monkeypatch, replace(bug, finds=frozenset({Kind.DEADLOCK})))
    result = invoke("run", "--twin", "1")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"fencepost: {NAME}: found as assertion")
    assert line.endswith("; replay: never, expected deadlock")


def test_a_twin_that_is_not_clean_fails_the_run(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_only(monkeypatch, replace(bug, fixed=harmful))
    result = invoke("run", "--twin", "9")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].endswith("not clean in 1")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"fencepost: {NAME}: the fixed twin: assertion")
    assert line.endswith("; replay: never")


def test_show_fails_when_the_search_does_not_find_the_bug(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = replace(bug, broken=harmless)

    def find(_name: str, _where: str) -> Bug:
        return entry

    monkeypatch.setattr(zoo_command, "find_bug", find)
    result = invoke("show", NAME, "--schedules", "3")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "nothing found in 3 schedules"


def test_ctrl_c_ends_a_run_with_the_results_so_far(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_only(monkeypatch, bug, bug)
    answers = iter([False, True])

    def is_set(_self: CtrlC) -> bool:
        return next(answers)

    monkeypatch.setattr(CtrlC, "is_set", is_set)
    result = invoke("run", "--twin", "1")
    assert result.exit_code == 130
    assert [line.split()[0] for line in result.stdout.splitlines()[2:]] == [NAME]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("run unicorn", "zoo run: found 'unicorn', expected a name that `fencepost zoo list` prints"),
        ("show unicorn", "zoo show: found 'unicorn', expected a name that `fencepost zoo list` prints"),
        ("show", "Missing argument 'BUG'"),
        ("run --twin 0", "Invalid value for '--twin'"),
        ("run --json /no/such/place", "--json: found /no/such/place"),
        ("feed", "No such command 'feed'"),
    ],
)
def test_a_mistake_is_told_on_one_line(args: str, message: str) -> None:
    result = invoke(*args.split())
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"fencepost: {message}")
