"""What goes wrong on purpose strikes whom it is meant for, costs nobody else a job, and the run comes to its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest

from fencepost.lab.faults import FaultKind, FaultSetup
from fencepost.lab.result import RunResult, WorkloadResult
from fencepost.lab.runner import run
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.wsim import parse_text

ENGINES = {"rcs": 1, "vcs": 1}
DRAW = parse_text("1.RCS.500.0.1, d.500", name="draw", where="-w")
DECODE = parse_text("1.VCS.500.0.1, d.500", name="decode", where="-w")

EVERY_WAY = pytest.mark.parametrize(
    ("world", "dispatch"),
    [("virtual", "thread"), ("virtual", "workqueue"), ("native", "thread"), ("native", "workqueue")],
)


def fault(kind: FaultKind, target: str | None, at_s: float = 0.0102, **options: Any) -> FaultSetup:  # noqa: ANN401
    return FaultSetup("fault 1", kind, target, at_s, **options)


def setup(*faults: FaultSetup, **options: Any) -> Setup:  # noqa: ANN401
    clients = (
        ClientSetup("bad", DRAW, repeats=None),
        ClientSetup("good", DRAW, repeats=None),
        ClientSetup("far", DECODE, repeats=None),
    )
    given: dict[str, Any] = {"world": "virtual", "duration_s": 0.1, "timeout_s": 0.02, "keep_events": True, **options}
    return Setup("test", clients, ENGINES, faults=faults, **given)


def of(result: RunResult, client: str) -> WorkloadResult:
    return next(each for each in result.workloads if each.client == client)


def assert_sound(result: RunResult) -> None:
    assert (result.deadlock, result.violations) == (None, ())
    assert result.statistics.fences_armed == result.statistics.fences_signaled
    assert result.statistics.tasks_left == 0


@EVERY_WAY
@pytest.mark.parametrize("kind", ["hang", "page_fault"])
def test_who_hangs_or_faults_loses_its_context_and_nobody_else_anything(
    world: Literal["native", "virtual"], dispatch: Literal["thread", "workqueue"], kind: FaultKind
) -> None:
    result = run(setup(fault(kind, "bad"), world=world, dispatch=dispatch))
    assert_sound(result)
    bad = of(result, "bad")
    assert (bad.jobs_lost, bad.contexts_lost, bad.guilty, len(bad.outages_us)) == (1, 1, 1, 1)
    assert [of(result, name).jobs_lost for name in ("good", "far")] == [0, 0]
    assert [(each.kind, each.target, each.hit) for each in result.faults] == [(kind, "bad", True)]
    assert ("bad" if kind == "hang" else None, "reset") in [(each.client, each.status) for each in result.recoveries]


def test_a_hang_is_over_when_the_job_has_had_its_time_and_a_fault_at_once() -> None:
    hang, page_fault = (of(run(setup(fault(kind, "bad"))), "bad").outages_us for kind in ("hang", "page_fault"))
    # The context that hangs is the oldest job of the ring for 20 ms; then its client makes another and draws on it.
    assert 20_000 < hang[0] < 23_000
    assert page_fault[0] < 3_000


def test_a_client_that_was_killed_comes_back() -> None:
    result = run(setup(fault("kill_client", "bad", restart_s=0.03)))
    assert_sound(result)
    bad = of(result, "bad")
    assert (bad.contexts_lost, bad.guilty) == (1, 0)
    assert 60 < bad.cycles < 75
    assert result.recoveries == ()


def test_a_client_that_was_killed_for_good_ends() -> None:
    result = run(setup(fault("kill_client", "bad")))
    assert_sound(result)
    assert of(result, "bad").cycles < 12
    assert of(result, "good").cycles > 60


def test_an_engine_reset_strikes_what_runs_there() -> None:
    result = run(setup(fault("engine_reset", "vcs0"), fault("engine_reset", "vcs0", 0.0106)))
    assert_sound(result)
    assert [each.hit for each in result.faults] == [True, False]
    assert [of(result, name).jobs_lost for name in ("bad", "good", "far")] == [0, 0, 1]


@EVERY_WAY
def test_a_device_that_is_gone_ends_all_clients(
    world: Literal["native", "virtual"], dispatch: Literal["thread", "workqueue"]
) -> None:
    result = run(setup(fault("unplug", None), world=world, dispatch=dispatch))
    assert_sound(result)
    assert all(each.device_lost for each in result.workloads)
    assert result.elapsed_s < 0.1


def test_random_faults_are_the_same_for_a_seed_and_others_for_another() -> None:
    faults = [fault(kind, "any", 0.0, every_s=0.01) for kind in ("hang", "page_fault", "engine_reset")]
    faults.append(fault("kill_client", "any", 0.0, every_s=0.02, restart_s=0.001))
    first, again = run(setup(*faults)), run(setup(*faults))
    assert replace(first, wall_s=0.0) == replace(again, wall_s=0.0)
    assert len({each.target for each in first.faults}) > 2
    assert_sound(first)
    assert run(setup(*faults, seed=2)).faults != first.faults
