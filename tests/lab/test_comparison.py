from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pytest
from rich.console import Console

from fencepost.lab.comparison import Comparison, Contender, print_comparison
from fencepost.lab.result import RunResult, WorkloadResult

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
    return Comparison("A game", tuple(Contender("none", result) for result in results))


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
    lines = printed(Comparison("A game", (Contender("v8", result),)), width=80)
    assert lines[3].split() == ["fair/v8"]
    assert lines[6].split()[:2] == ["game", "-"]


def test_its_facts_are_those_of_the_runs(run_result: Make, workload_result: MakeClient) -> None:
    facts = compared(run_result, workload_result).as_json()
    assert facts["title"] == "A game"
    assert [(run["controller"], run["policy"]) for run in facts["runs"]] == [
        ("none", "rr"),
        ("none", "fifo"),
        ("none", "fair"),
    ]
