"""The designs for long-running work: what is told was seen, and what differs from the discussion is explained."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from fencepost.errors import BadInput
from fencepost.hw.long_running.designs import (
    DESIGNS,
    AnnotatedFences,
    Design,
    FaultingQueues,
    PreemptFences,
    UserQueues,
)
from fencepost.hw.memory import RwLock
from fencepost.lab.experiments.long_running import LongRunningOutcome, long_running
from fencepost.lab.experiments.long_running_cells import PLAYS, Played, play
from fencepost.lab.experiments.long_running_dangers import DANGERS, End
from fencepost.lab.experiments.long_running_runs import Search, judge
from fencepost.lab.experiments.long_running_thrash import Thrash, ThrashResult, thrash
from fencepost.lab.toml_file import TomlFile

EXAMPLE = Path(__file__).parents[3] / "examples" / "long-running.toml"
UNSEARCHED = Search(0)

CIRCLES = {
    "T6-1": "fence J:1 => job J:1 => fault at 0x20000 => H => reclaim => fence J:1",
    "T6-2": "fence J:1 => job J:1 => fault at 0x10000 => H => MmapLock process => T => fence J:1",
    "T6-3": "fence J:1 => job J:1 => fault at 0x10000 => H => Reservation X => T => fence J:1",
    "T6-4": "fence K:1 => job K:1 => engine ccs0 => job J:1 => fault at 0x10000 => H => reclaim => fence K:1",
    "T6-6": "fence K:1 => ring of K => fence K:1",
    "T6-7": "fence K:1 => ring of K => VmLock vm => T => fence K:1",
    "T6-8": "fence K:2 => ring of K => fence K:2",
}


def run(tmp_path: Path, text: str) -> LongRunningOutcome:
    path = tmp_path / "a.toml"
    path.write_text('experiment = "long-running"\n' + text)
    return long_running(TomlFile.read(path))


@pytest.mark.parametrize("test", CIRCLES)
def test_the_first_design_deadlocks_and_the_circle_is_named(test: str) -> None:
    cell = judge(DANGERS[test], AnnotatedFences, UNSEARCHED)
    assert cell.deadlock
    assert cell.circle == CIRCLES[test]
    assert bool(cell.flags) == (test != "T6-4"), "of an engine that is kept no annotation knows"


@pytest.mark.parametrize(("test", "variant", "design"), PLAYS)
def test_each_verdict_is_what_was_said_or_explained(test: str, variant: str, design: type[Design]) -> None:
    played = play(test, variant, design, UNSEARCHED)
    assert played.agrees or played.note != "nobody has explained that yet", played


@pytest.mark.parametrize("design", [PreemptFences, UserQueues])
def test_without_preemption_the_fence_waits_as_long_as_the_work_runs(design: type[Design]) -> None:
    assert play("T6-4", "no preemption", design, UNSEARCHED).verdict == "waits for J"


def test_the_order_of_the_historic_bug_deadlocks_and_the_other_does_not() -> None:
    """T6-9."""
    verdicts = {
        variant: play(test, variant, design, UNSEARCHED).verdict for test, variant, design in PLAYS if test == "T6-9"
    }
    assert verdicts == {"": "safe", "switch before dependencies": "deadlock, unflagged"}


@pytest.mark.parametrize("design", [PreemptFences, FaultingQueues, UserQueues])
def test_a_search_finds_no_other_order(design: type[Design]) -> None:
    cell = judge(DANGERS["T6-2"], design, Search(30, complete_up_to=300))
    assert not cell.found
    assert "30 schedules of mix, seed 1" in cell.scopes
    assert (design is not PreemptFences) == any("all with at most 0 preemptions" in scope for scope in cell.scopes)


def crossing(design: Design, *, pressed: bool) -> Iterator[End]:
    """Take two locks in both orders, which goes well in the order in which tasks were started."""
    locks = [RwLock("one"), RwLock("other")]

    def take(order: list[RwLock]) -> None:
        with order[0].write(), order[1].write():
            pass

    for order in (locks, locks[::-1])[: 1 + pressed]:
        yield "a task", design.runtime.spawn(partial(take, order)).join


def test_a_search_reports_what_it_finds() -> None:
    cell = judge(crossing, PreemptFences, Search(50))
    assert not cell.stuck
    assert not cell.scopes
    assert "waited in vain for a task, a task" in cell.found
    assert Played("T6-1", "", "", PreemptFences.name, cell).verdict == "found by search"


def test_what_is_lost_counts_as_a_hang() -> None:
    def lost(_design: Design, *, pressed: bool) -> Iterator[End]:
        yield "what never comes", lambda _timeout_s: not pressed

    assert judge(lost, PreemptFences, UNSEARCHED).stuck == ("nobody waits: what it should come to is lost",)


RESULTS = [
    # Livelock, and what each pause makes of it: exact in the virtual world.
    (PreemptFences, Thrash(1000, 500), (500, 0.0, None)),
    (PreemptFences, Thrash(1000, 500, min_run_us=100), (20, 2000.0, 2000.0)),
    (PreemptFences, Thrash(1000, 500, back_off_us=100), (21, 2000.0, 2000.0)),
    (PreemptFences, Thrash(1000, 500, min_run_us=100, back_off_us=100), (20, 2000.0, 2000.0)),
    (PreemptFences, Thrash(1000, 500, room=True), (2, 2000.0, 1000.0)),
    (UserQueues, Thrash(1000, 500), (500, 0.0, None)),
    (UserQueues, Thrash(1000, 500, back_off_us=100), (21, 2000.0, 2000.0)),
    # Each fault is followed by work, but nearly each access is one.
    (FaultingQueues, Thrash(1000, 500), (2000, 2000.0, 1000.0)),
    (FaultingQueues, Thrash(1000, 500, room=True), (14, 2000.0, 1000.0)),
]


@pytest.mark.parametrize(("design", "what", "expected"), RESULTS)
def test_two_works_that_do_not_fit_in_together(
    design: type[Design], what: Thrash, expected: tuple[int, float, float | None]
) -> None:
    """T6-10."""
    result = thrash(design, what)
    assert (result.moves, result.done_us, result.ended_us) == expected


@pytest.mark.parametrize("what", [Thrash(0, 10), Thrash(10, 0)])
def test_no_work_or_no_rounds_are_refused(what: Thrash) -> None:
    with pytest.raises(BadInput, match="1 or more"):
        thrash(PreemptFences, what)


def test_the_whole_of_it_tells_people_and_programs_the_same(tmp_path: Path) -> None:
    outcome = run(
        tmp_path, 'schedules = 0\ncomplete_up_to = 0\nwork_us = 200\nrounds = 50\ndesigns = ["3 user queues"]\n'
    )
    facts = json.loads(json.dumps(outcome.as_json()))
    assert {each["design"] for each in facts["scenes"]} == {"3 user queues"}
    assert [each["verdict"] for each in facts["scenes"] if each["test"] == "T6-6"] == ["deadlock, flagged"]
    assert len(facts["thrash"]) == 3
    text = io.StringIO()
    outcome.show(Console(file=text, width=300))
    shown = text.getvalue()
    for words in ("deadlock, flagged *", "needs firmware preemption", "livelock", "waits for J", "Not what was said"):
        assert words in shown
    assert "nobody has explained" not in shown


def test_an_outcome_without_thrash_says_so_by_its_absence(tmp_path: Path) -> None:
    outcome = run(tmp_path, 'schedules = 0\ncomplete_up_to = 0\ndesigns = ["1 annotated fences"]\n')
    assert outcome.thrashed == ()
    text = io.StringIO()
    outcome.show(Console(file=text, width=300))
    assert "T6-10" not in text.getvalue()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('designs = ["4 magic"]', "1 annotated fences"),
        ("schedules = -1", "from 0 .no search."),
        ('search = "luck"', "search"),
        ("rounds = 0", "from 1 to"),
        ("back_off_ms = -1", "milliseconds"),
        ("shedules = 3", "schedules"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=f"a.toml:2.*{said}"):
        run(tmp_path, text)


def test_the_example_asks_for_all_designs() -> None:
    assert TomlFile.read(EXAMPLE).parsed["designs"] == [design.name for design in DESIGNS]


@pytest.mark.slow
def test_the_example_finds_no_hang_by_search() -> None:
    outcome = long_running(TomlFile.read(EXAMPLE))
    assert [each for each in outcome.played if each.cell.found] == []
    assert all(isinstance(each, ThrashResult) for each in outcome.thrashed)
