"""The experiment `multi-gpu-map`: files, and the outcome matrix, each cell of which was run."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from fencepost.errors import BadInput
from fencepost.lab import cli
from fencepost.lab.experiments.multi_gpu_events import EVENTS, observe
from fencepost.lab.experiments.multi_gpu_map import MultiGpuOutcome, multi_gpu_map
from fencepost.lab.experiments.multi_gpu_races import RACES, race
from fencepost.lab.experiments.multi_gpu_stage import MapSetup, Observation
from fencepost.lab.experiments.multi_gpu_storm import Storm, weather
from fencepost.lab.process import CtrlC
from fencepost.lab.toml_file import TomlFile

EXAMPLE = Path(__file__).parents[3] / "examples" / "multi-gpu-map.toml"
HEAD = 'experiment = "multi-gpu-map"\n'
SETUP = MapSetup(gpus=4, dispatch_us=1000, update_us=5000, fail_at=2, pending_signals=False)
ALL = (0, 1, 2, 3)

Carry = Callable[[str], MultiGpuOutcome]


@pytest.fixture
def carried_out(tmp_path: Path) -> Carry:
    """Give a function that carries out what a text says."""

    def carry_out(text: str) -> MultiGpuOutcome:
        path = tmp_path / "a.toml"
        path.write_text(HEAD + text)
        return multi_gpu_map(TomlFile.read(path))

    return carry_out


def seen(event: str, *designs: str) -> list[Observation]:
    return [observe(SETUP, design, event) for design in designs]


@pytest.mark.parametrize("event", EVENTS)
def test_nothing_happens_that_must_not(event: str) -> None:
    for each in seen(event, "A", "A-held", "A-polls", "A0", "B", "C", "C-free", "D", "E"):
        assert each.violations == ()


def test_undisturbed_all_take_as_long_and_not_as_many_calls() -> None:
    each = seen("nothing", "A", "A0", "B", "C", "D", "E")
    assert {(one.ended_ms, one.error, one.at_end.usable, one.dispatches) for one in each} == {(9, "0", ALL, 4)}
    assert [one.syscalls for one in each] == [1, 1, 2, 1, 5, 1]


def test_before_gpu_0_a_signal_finds_nothing_done() -> None:
    for each in seen("signal before GPU 0", "A", "A0", "B", "C", "D", "E"):
        assert each.between is not None
        assert (each.between.mapped, each.restarts, each.dispatches, each.error) == ((), 1, 4, "0")


def test_between_two_gpus_only_who_looks_is_interrupted() -> None:
    deaf, polling, undoing = seen("signal between k-1 and k", "A", "A-polls", "C-free")
    assert (deaf.between, deaf.restarts, deaf.ended_ms) == (None, 0, 9)
    assert polling.between is not None
    assert (polling.between.mapped, polling.between.n_success, polling.dispatches) == ((0, 1), 2, 4)
    assert undoing.between is not None
    assert (undoing.between.mapped, undoing.dispatches, undoing.ended_ms) == ((), 6, 11)


def test_in_the_wait_only_undoing_costs_dispatches() -> None:
    *resuming, undoing = seen("signal in the wait", "A", "A0", "B", "D", "E", "C")
    assert {(one.restarts, one.dispatches, one.ended_ms) for one in resuming} == {(1, 4, 9)}
    assert (undoing.restarts, undoing.dispatches, undoing.ended_ms) == (1, 8, 24.5)


def test_after_completion_nobody_begins_anew() -> None:
    for each in seen("signal after completion", "A", "A0", "B", "C", "D", "E"):
        assert (each.restarts, each.error, each.ended_ms) == (0, "0", 9)


def test_a_failure_is_told_in_as_many_ways_as_there_are_designs() -> None:
    built, blind, fence, undoing, single, listing = seen("failure on GPU k", "A", "A0", "B", "C", "D", "E")
    assert {one.error for one in (built, blind, fence, undoing, single, listing)} == {"ENOMEM"}
    assert (built.at_end.mapped, built.at_end.n_success) == ((0, 1), 2)
    assert (blind.at_end.mapped, blind.at_end.n_success) == ((0, 1), None)
    assert (fence.at_end.mapped, fence.at_end.fence) == ((0, 1), True)
    assert undoing.at_end.mapped == ()
    assert single.at_end.status == (None, None, "ENOMEM", None)
    assert (listing.at_end.usable, listing.at_end.status) == ((0, 1, 3), ("0", "0", "ENOMEM", "0"))


def test_a_second_call_dispatches_what_is_missing() -> None:
    each = seen("failure on GPU k, then again", "A", "A0", "B", "C", "D", "E")
    assert [one.dispatches for one in each] == [4, 4, 4, 6, 4, 4]
    assert {one.at_end.usable for one in each} == {ALL}


def test_without_memory_the_first_gpu_fails() -> None:
    for each in seen("memory pressure", "A", "A0", "B", "C", "D", "E"):
        assert (each.error, each.dispatches, each.at_end.mapped) == ("ENOMEM", 0, ())


def test_a_hang_ends_with_the_reset_and_its_error() -> None:
    built, fence, undoing, single, listing = seen("SDMA hang on GPU k, then reset", "A", "B", "C", "D", "E")
    assert {one.error for one in (built, fence, undoing, single, listing)} == {"EIO"}
    assert (built.ended_ms, built.at_end.usable, built.polls) == (90, (), 0)
    assert (fence.ended_ms, fence.at_end.usable, fence.polls) == (90, (), 3)
    assert (undoing.ended_ms, undoing.at_end.mapped) == (98, ())
    for one in (single, listing):
        assert one.between is not None
        assert (one.between.usable, one.at_end.usable) == ((0, 1, 3), (0, 1, 3))


def test_who_undoes_cannot_even_be_killed_while_an_engine_hangs() -> None:
    *others, undoing = seen("SDMA hang on GPU k, then kill", "A", "A0", "B", "D", "E", "C")
    assert {(one.ended_ms, one.error) for one in others} == {(90, "EINTR")}
    assert (undoing.ended_ms, undoing.error) == (None, None)


def test_only_undoing_takes_pages_from_under_a_gpu() -> None:
    *others, undoing, magic = seen("GPU 0 uses it, signal in the wait", "A", "A0", "B", "D", "E", "C", "C-free")
    for one in others:
        assert one.early_touches > 0
        assert one.lost_pages == 0
    assert undoing.lost_pages > 0
    assert magic.lost_pages > 0


@pytest.mark.parametrize("name", RACES)
def test_a_race_is_searched_and_what_came_of_it_told(name: str) -> None:
    result = race("A", name, strategy="mix", schedules=8, seed=1)
    assert (result.design, result.event, result.schedules, result.found) == ("A", name, 8, "")
    assert result.scope == ""
    assert result.outcomes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("design", "event", "fact", "possible"),
    [
        ("A", "another call unmaps GPU 1", "map overtaken", True),
        ("A-held", "another call unmaps GPU 1", "map overtaken", False),
        ("C", "another call unmaps GPU 1", "map overtaken", False),
        ("A", "GPU 0 uses it, GPU 1 fails", "pages lost", False),
        ("C", "GPU 0 uses it, GPU 1 fails", "pages lost", True),
    ],
)
def test_exhausted_races_tell_the_designs_apart(design: str, event: str, fact: str, possible: bool) -> None:  # noqa: FBT001
    result = race(design, event, strategy="dfs1", schedules=5000, seed=1)
    assert (result.scope, result.found) == ("all with at most 1 preemptions", "")
    assert any(dict(outcome)[fact] for outcome in result.outcomes) == possible


def test_t5_1_the_storm() -> None:
    for design, period_ms, expected in (
        ("A", 2, (9, 2, 4)),
        ("A", 4, (9, 1, 4)),
        ("B", 8, (9, 1, 4)),
        ("C-free", 2, (None, 50, 100)),
        ("C-free", 9, (9, 0, 4)),
    ):
        result = weather(SETUP, design, Storm(1000 * period_ms, 100_000))
        assert (result.ended_ms, result.restarts, result.dispatches) == expected


def test_random_signals_are_those_of_their_seed() -> None:
    first, again, other = (list(Storm(2000, 100_000, seed).times_us()) for seed in (1, 1, 2))
    assert first == again != other
    assert sorted(first) == first
    assert 25 < len(first) < 100
    assert all(0 < when_us <= 100_000 for when_us in first)
    assert weather(SETUP, "A", Storm(2000, 100_000, 1)).dispatches == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gpus = 9", ":2: gpus: found 9, expected a whole number from 1 to 8"),
        ("gpus = 0", ":2: gpus: found 0"),
        ("gpus = 2\nfail_at = 2", ":3: fail_at: found 2, expected a GPU, from 0 to 1"),
        ('designs = ["A", "Z"]', ':2: designs 2: found "Z"'),
        ("designs = []", ":2: designs: found a list"),
        ("dispatch_ms = 0", ":2: dispatch_ms: found 0"),
        ("signal_periods_ms = [2, -1]", ":2: signal_periods_ms 2: found -1"),
        ('search = "depth"', ":2: search: found 'depth'"),
        ("schedule = 3", ":2: schedule: found an unknown field, expected schedules"),
        ('title = ""', ":2: title"),
    ],
)
def test_a_bad_file_is_refused(carried_out: Carry, text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        carried_out(text)
    assert said in str(caught.value)


def shown(outcome: MultiGpuOutcome, width: int = 120) -> list[str]:
    console = Console(file=io.StringIO(), width=width, _environ={})
    outcome.show(console)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_designs_that_did_the_same_share_a_row(carried_out: Carry) -> None:
    lines = shown(carried_out('fail_at = 2\ndesigns = ["A", "A-held", "C", "E"]\nstorm_s = 0.02\nschedules = 0'))
    assert lines[:2] == [
        "Mapping a buffer on several GPUs",
        "4 GPUs, 1.00 ms to dispatch to each, 5.00 ms to wait; k = 2; virtual world",
    ]
    start = lines.index("failure on GPU k")
    assert [" ".join(line.split()) for line in lines[start + 3 : start + 6]] == [
        "A, A-held ENOMEM 3.00 1 0 2 0-1 - n=2 -",
        "C ENOMEM 12.0 1 0 2 - - - -",
        "E ENOMEM 9.00 1 0 3 0-1 3 0-1 3 2x0 ENOMEM 0 -",
    ]
    start = lines.index("a storm of signals, for 0.020 s")
    assert lines[start + 3].split() == ["A,", "A-held,", "E", "2.00", "9.00", "2", "4"]
    assert lines[start + 4].split()[:3] == ["C", "2.00", "never"]


def test_races_are_shown_with_what_they_searched(carried_out: Carry) -> None:
    text = 'gpus = 1\ndesigns = ["A"]\nsignal_periods_ms = []\nsearch = "dfs0"\nschedules = 50'
    lines = shown(carried_out(text))
    start = lines.index("another call unmaps GPU 1, at any moment")
    first, second = lines[start + 3 : start + 5]
    assert first.split("  ")[0] == "A"
    assert "map 0, unmap 0, usable 0-1  " in first
    assert first.endswith("all with at most 0 preemptions")
    assert second.strip() == "map 0, unmap 0, usable 0, map overtaken"
    assert not any(line.startswith("a storm") for line in lines)


def test_ctrl_c_leaves_what_there_is_so_far(carried_out: Carry, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(_stop: CtrlC) -> bool:
        return True

    monkeypatch.setattr(CtrlC, "is_set", pressed)
    outcome = carried_out("")
    assert outcome.interrupted
    assert len(outcome.observations) == 1
    assert shown(outcome)[-1] == "interrupted: these are the results so far"


def test_its_json_has_the_facts(tmp_path: Path) -> None:
    """As the command writes them, of one GPU."""
    path = tmp_path / "a.toml"
    storm = "signal_periods_ms = [1]\nstorm_s = 0.01\nschedules = 0"
    path.write_text(f'{HEAD}gpus = 1\nwait_ms = 0.5\ndesigns = ["B"]\n{storm}')
    result = CliRunner().invoke(cli.app, ["compare", str(path), "--json", "-"], catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (0, "")
    facts: Mapping[str, Any] = json.loads(result.stdout)
    assert (facts["experiment"], facts["gpus"], facts["wait_ms"], facts["interrupted"]) == (
        "multi-gpu-map",
        1,
        0.5,
        False,
    )
    assert [each["event"] for each in facts["events"]] == [*EVENTS]
    first = facts["events"][0]
    assert (first["design"], first["error"], first["ended_ms"], first["syscalls"]) == ("B", "0", 1.5, 2)
    assert first["at_end"] == {"mapped": [0], "usable": [0], "n_success": None, "status": None, "fence": True}
    (stormed,) = facts["storms"]
    assert (stormed["period_ms"], stormed["ended_ms"], stormed["violations"]) == (1.0, 1.5, [])
    assert facts["races"] == []


def test_the_example_is_as_it_should_be(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    path = tmp_path / "a.toml"
    path.write_text(text.replace("storm_s = 10 ", "storm_s = 0.1 ").replace("schedules = 3000", "schedules = 0"))
    outcome = multi_gpu_map(TomlFile.read(path))
    assert {each.design for each in outcome.observations} == {"A", "A-held", "A0", "B", "C", "C-free", "D", "E"}
    assert not any(each.violations for each in outcome.observations)
    assert len(outcome.storms) == 4 * 8
