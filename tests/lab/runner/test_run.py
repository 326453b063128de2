"""What a run tells: the same each time in the virtual world, complete in both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest

from fencepost.events.kinds import CYCLE, PERIOD_MISSED
from fencepost.fences import context_alloc
from fencepost.lab.result import EngineResult, RunResult
from fencepost.lab.runner import Progress, run
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.wsim import Workload, load, parse_text
from fencepost.policies import Priority

RunText = Callable[..., RunResult]

FOLDER = Path(__file__).parents[4] / "shared" / "workloads"
WORKLOADS = (
    "cloud-gaming-60fps",
    "composited-ui",
    "frame-split-60fps",
    "high-composited-game",
    "media-1080p-player",
    "media_17i7",
    "media_load_balance_hd12",
    "vcs1",
)
of_igt = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no workloads of IGT in {FOLDER}")

BUSY = parse_text(
    "W.1.3n4k,M.1.VCS,B.1,b.1.VCS2.RCS,f,1.VCS.200-900.w1-0/f-1.0,2.RCS.300-700.s-1/r1-0.0,a.-3,P.2.1,q.3,"
    "3.BCS.50-90.-4/w1-1-2.0,p.1200",
    name="busy",
    where="-w",
)


def clones(workload: Workload, count: int = 2, **options: Any) -> tuple[ClientSetup, ...]:  # noqa: ANN401
    return tuple(ClientSetup(f"c{number}", workload, **options) for number in range(count))


@pytest.mark.parametrize("dispatch", ["thread", "workqueue"])
@pytest.mark.parametrize("policy", ["rr", "fifo", "fair"])
def test_the_same_setup_gives_the_same_result(dispatch: Literal["thread", "workqueue"], policy: str) -> None:
    setup = Setup(
        "test", clones(BUSY, 3, repeats=20), world="virtual", dispatch=dispatch, policy=policy, keep_events=True
    )
    first = run(setup)
    context_alloc(1234)
    second = run(setup)
    assert replace(first, wall_s=0.0) == replace(second, wall_s=0.0)
    assert (first.deadlock, first.statistics.jobs_completed) == (None, 3 * 20 * 3)


def test_another_seed_gives_other_durations(run_text: RunText) -> None:
    one, other = (run_text("1.RCS.1-9999.0.1", 9, seed=seed).workloads[0].cycle_times_us for seed in (1, 2))
    assert one != other


def test_what_one_client_draws_is_nothing_to_another() -> None:
    """On engines of their own, so that they do not meet."""
    drawn = parse_text("1.RCS.1-9999.0.1", name="a", where="-w")
    other = parse_text("1.BCS.1-9999.0.1", name="b", where="-w")
    alone = run(Setup("test", (ClientSetup("a", drawn, repeats=9),), world="virtual"))
    both = run(Setup("test", (ClientSetup("b", other, repeats=9), ClientSetup("a", drawn, repeats=9)), world="virtual"))
    assert alone.workloads[0].cycle_times_us == both.workloads[1].cycle_times_us
    assert both.workloads[0].cycle_times_us != both.workloads[1].cycle_times_us


def test_engines_tell_what_they_did(run_text: RunText) -> None:
    result = run_text("1.RCS.300.0.0,2.VCS2.900.0.1,d.300", engines={"rcs": 1, "bcs": 0, "vcs": 2})
    assert result.engines == (
        EngineResult("rcs0", 300.0, 25.0, 1),
        EngineResult("vcs0", 0.0, 0.0, 0),
        EngineResult("vcs1", 900.0, 75.0, 1),
    )


def test_a_client_is_told_what_changed_nothing(run_text: RunText) -> None:
    (named,) = run_text("S.1.3,1.RCS.9.0.0").workloads[0].no_effect
    assert named.startswith("S.1.3: ")


def test_the_events_of_cycles_are_kept_if_asked_for(run_text: RunText) -> None:
    events = run_text("d.700,p.500,d.100", 2, keep_events=True).events
    assert [event for event in events if event[1] in {CYCLE, PERIOD_MISSED}] == [
        (700_000, PERIOD_MISSED, "a", 200_000),
        (800_000, CYCLE, "a", 0, 800_000),
        (1_500_000, PERIOD_MISSED, "a", 200_000),
        (1_600_000, CYCLE, "a", 800_000, 1_600_000),
    ]
    assert run_text("d.700").events == ()


def test_a_priority_is_for_the_contexts_that_set_none() -> None:
    """A low client has the engine first, then the high one comes in; the one that raises itself is behind nobody."""
    text = "1.RCS.1000.0.0,1.RCS.1000.0.0,1.RCS.1000.0.1"
    plain, raised = (parse_text(each, name="a", where="-w") for each in (text, f"P.1.1,{text}"))
    clients = (
        ClientSetup("low", plain, priority=Priority.LOW),
        ClientSetup("normal", plain),
        ClientSetup("raised", raised, priority=Priority.LOW),
    )
    result = run(Setup("test", clients, world="virtual", policy="fifo", credit_limit=1))
    assert [workload.cycle_times_us for workload in result.workloads] == [(9000.0,), (7000.0,), (4000.0,)]


@pytest.mark.parametrize("world", ["native", "virtual"])
@pytest.mark.parametrize("dispatch", ["thread", "workqueue"])
def test_a_result_is_complete(world: Literal["native", "virtual"], dispatch: Literal["thread", "workqueue"]) -> None:
    result = run(Setup("test", clones(BUSY, 3, repeats=5), world=world, dispatch=dispatch, keep_events=True))
    assert (result.world, result.dispatch, result.interrupted, result.deadlock) == (world, dispatch, False, None)
    assert [workload.cycles for workload in result.workloads] == [5, 5, 5]
    assert sum(event[1] == CYCLE for event in result.events) == 15
    statistics = result.statistics
    assert (statistics.jobs_submitted, statistics.jobs_completed, statistics.tasks_left) == (45, 45, 0)
    assert statistics.fences_signaled == statistics.fences_armed == 90
    assert sum(engine.jobs for engine in result.engines) == 45
    of_clients_us = sum(sum(workload.gpu_time_us.values()) for workload in result.workloads)
    assert round(sum(engine.busy_us for engine in result.engines), 3) == round(of_clients_us, 3)
    assert min(result.elapsed_s, result.wall_s) > 0


def test_progress_grows_to_its_end_by_cycles_or_by_time() -> None:
    told: list[Progress] = []
    clients = (
        *clones(parse_text("d.10000", name="a", where="-w"), 1, repeats=99),
        ClientSetup("b", parse_text("d.1000", name="b", where="-w"), repeats=None),
    )
    result = run(Setup("test", clients, world="native", duration_s=0.14), progress=told.append)
    assert 2 <= len(told) <= 4
    assert all(one.elapsed_s <= other.elapsed_s and one.cycles <= other.cycles for one, other in pairwise(told))
    assert [progress.fraction for progress in told] == sorted(progress.fraction or 0.0 for progress in told)
    assert told[-1].cycles == sum(workload.cycles for workload in result.workloads)
    assert told[-1] == Progress(1.0, result.elapsed_s, told[-1].cycles)


def test_in_a_virtual_world_the_clock_on_the_wall_decides_about_progress() -> None:
    told: list[Progress] = []
    workload = parse_text("d.1000", name="a", where="-w")
    result = run(Setup("test", clones(workload, 2, repeats=10_000), world="virtual"), progress=told.append)
    assert 1 <= len(told) <= 2 + result.wall_s * 10
    assert told[-1] == Progress(1.0, 10.0, 20_000)


@of_igt
@pytest.mark.parametrize("name", WORKLOADS)
@pytest.mark.parametrize("world", ["native", "virtual"])
def test_a_workload_of_igt_runs(name: str, world: Literal["native", "virtual"]) -> None:
    workload = load(FOLDER / f"{name}.wsim")
    result = run(Setup(name, clones(workload, repeats=2), world=world))
    assert [each.cycles for each in result.workloads] == [2, 2]
    assert result.deadlock is None
    assert result.statistics.jobs_completed == result.statistics.jobs_submitted > 0


@of_igt
@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_of_igt_repeats_itself(name: str) -> None:
    setup = Setup(name, clones(load(FOLDER / f"{name}.wsim"), repeats=10), world="virtual", keep_events=True)
    assert replace(run(setup), wall_s=0.0) == replace(run(setup), wall_s=0.0)


@of_igt
@pytest.mark.parametrize(
    ("name", "elapsed_us", "gpu_time_us"),
    [
        ("high-composited-game", 60 * 16667, {"rcs0": 60 * 14500, "bcs0": 60 * 1000}),
        # VCS1 to 3000, RCS to 4000 and to 7700, VCS2 from there to 10000, RCS behind it to 14700, VCS2 to 15300.
        ("media_17i7", 60 * 15300, {"rcs0": 60 * 10400, "vcs0": 60 * 3000, "vcs1": 60 * 2900}),
    ],
)
def test_a_workload_of_igt_takes_what_its_text_says(name: str, elapsed_us: int, gpu_time_us: dict[str, int]) -> None:
    result = run(Setup(name, clones(load(FOLDER / f"{name}.wsim"), 1, repeats=60), world="virtual"))
    assert result.elapsed_s == elapsed_us / 1e6
    assert result.workloads[0].gpu_time_us == gpu_time_us
    assert result.workloads[0].missed_periods == 0
