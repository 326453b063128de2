from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from fencepost.lab.comparison import Comparison, print_comparison
from fencepost.lab.result import CgroupResult, ChangeResult, RunResult, WorkloadResult

Make = Callable[..., RunResult]
MakeClient = Callable[..., WorkloadResult]


def printed(comparison: Comparison, width: int) -> Sequence[str]:
    console = Console(file=io.StringIO(), width=width, _environ={})
    print_comparison(console, comparison)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def compared(make: Make, make_client: MakeClient, **facts: object) -> Comparison:
    """Return a comparison of three policies, under each of which the second client gets nothing."""
    clients = (make_client("game"), make_client("idle", cycles=0, time_us=None, gpu_time_us={}))
    results = [make(policy=policy, workloads=clients, **facts) for policy in ("rr", "fifo", "fair")]
    return Comparison("A game", tuple(results))


def test_each_policy_has_a_group_of_columns(run_result: Make, workload_result: MakeClient) -> None:
    assert printed(compared(run_result, workload_result), width=120) == [
        "A game",
        "ring submission, virtual world, seed 1",
        "",
        "           rr                      fifo                      fair",
        "client   GPU%  per s  miss   p99   GPU%  per s  miss   p99   GPU%  per s  miss   p99",
        "────────────────────────────────────────────────────────────────────────────────────",
        "game    100.0   59.9     7  16.7  100.0   59.9     7  16.7  100.0   59.9     7  16.7",
        "idle      0.0   59.9     7     -    0.0   59.9     7     -    0.0   59.9     7     -",
        "",
        "GPU%: of the GPU time that all clients took; miss: periods missed; p99: of the times of its cycles, in ms",
    ]


@pytest.mark.parametrize(
    ("width", "groups"),
    [(120, [["rr", "fifo", "fair"]]), (60, [["rr", "fifo"], ["fair"]]), (20, [["rr"], ["fifo"], ["fair"]])],
)
def test_what_has_no_room_beside_comes_below(
    run_result: Make, workload_result: MakeClient, width: int, groups: Sequence[Sequence[str]]
) -> None:
    lines = printed(compared(run_result, workload_result), width)
    assert [line.split() for line in lines if line.split() and {*line.split()} <= {"rr", "fifo", "fair"}] == groups


def test_what_went_wrong_is_told(run_result: Make, workload_result: MakeClient) -> None:
    lines = printed(compared(run_result, workload_result, interrupted=True, deadlock="stuck"), width=120)
    assert lines[-2:] == ["fair: interrupted: these are the results so far", "fair: ended in a deadlock"]


def test_nobody_may_have_had_the_gpu(run_result: Make, workload_result: MakeClient) -> None:
    result = run_result(workloads=(workload_result("game", gpu_time_us={}),))
    lines = printed(Comparison("A game", (result,)), width=80)
    assert lines[6].split()[:2] == ["game", "-"]


# Controllers.


def grouped(make: Make, controller: str, share: float | None = 0.333, **facts: object) -> RunResult:
    """Return a run with two groups, of which the second got a share."""
    root = CgroupResult("/", None, 900, {"rcs": 900}, 1.0, 0, 0)
    groups = (
        root,
        replace(root, path="/A", weight=200, share=0.667),
        replace(root, path="/B", weight=100, share=share),
    )
    return make(**{"controller": controller, "driver": "i915", "cgroups": groups, **facts})


def test_a_contender_is_called_by_what_sets_it_apart(run_result: Make) -> None:
    controllers = Comparison("", tuple(grouped(run_result, controller) for controller in ("none", "v8")))
    assert [controllers.name(run) for run in controllers.runs] == ["none", "v8"]
    both = Comparison("", (grouped(run_result, "none", policy="rr"), grouped(run_result, "v8")))
    assert [both.name(run) for run in both.runs] == ["rr", "fair/v8"]


def test_groups_are_told_by_what_they_got(run_result: Make) -> None:
    runs = (grouped(run_result, "none", share=None), grouped(run_result, "hweight"))
    lines = printed(Comparison("A game", runs), width=120)
    assert lines[1] == "fair policy, ring submission, virtual world, seed 1"
    assert [line.split() for line in lines[8:12]] == [
        ["group", "weight", "none", "hweight"],
        ["─" * 29],
        ["/A", "200", "66.7", "66.7"],
        ["/B", "100", "-", "33.3"],
    ]
    assert lines[13].startswith("group: % of the GPU time")


def test_what_came_to_nothing_is_told(run_result: Make) -> None:
    changes = (ChangeResult(1.0, "A/drm.weight=1", "done"), ChangeResult(2.0, "game -> A", "ESRCH"))
    runs = (grouped(run_result, "none"), grouped(run_result, "v6", driver="amdgpu", changes=changes))
    lines = printed(Comparison("A game", runs, (("rr", "v8"), ("rr", "hweight"))), width=120)
    assert lines[-3:] == [
        "v6: the controller v6 has no effect: the driver amdgpu takes no budgets",
        "v6: game -> A at 2.00 s: ESRCH",
        "left out: rr/v8, rr/hweight: such a controller changes the policy fair",
    ]


def test_pairs_that_were_left_out_are_facts(run_result: Make) -> None:
    facts = Comparison("", (grouped(run_result, "none"),), (("rr", "v8"),)).as_json()
    assert facts["left_out"] == [{"policy": "rr", "controller": "v8"}]
    assert "left_out" not in Comparison("", (grouped(run_result, "none"),)).as_json()


def test_its_facts_are_those_of_the_runs(run_result: Make, workload_result: MakeClient) -> None:
    facts = compared(run_result, workload_result).as_json()
    assert facts["title"] == "A game"
    assert [(run["controller"], run["policy"]) for run in facts["runs"]] == [
        ("none", "rr"),
        ("none", "fifo"),
        ("none", "fair"),
    ]
