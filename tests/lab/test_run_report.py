from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from rich.console import Console

from fencepost.actors import RuntimeStatistics
from fencepost.lab.result import EngineResult, FaultResult, RecoveryResult, RunResult, WorkloadResult
from fencepost.lab.run_report import print_run

Make = Callable[..., RunResult]
MakeClient = Callable[..., WorkloadResult]


def printed(result: RunResult, width: int = 200) -> Sequence[str]:
    """Return the lines that a person sees, without what stands at their ends."""
    console = Console(file=io.StringIO(), width=width, _environ={})
    print_run(console, result)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_run_is_told_in_two_tables_and_a_total(run_result: Make) -> None:
    assert printed(run_result()) == [
        "A game",
        "fair policy, ring submission, virtual world, thread dispatch, seed 1",
        "",
        "client  cycles  per s  missed  avg ms   p50   p99   max  GPU s",
        "──────────────────────────────────────────────────────────────",
        "game     1 200   59.9       7    9.88  9.00  16.7  40.0   1.50",
        "",
        "engine   jobs  busy s  busy %  % taken by",
        "─────────────────────────────────────────",
        "rcs0    1 200    1.50    30.0  game 30.0",
        "",
        "1 200 jobs, 2 400 fences, 9 greenlets",
        "5.00 s of virtual time in 0.500 s, 10.0 times real time",
    ]


def test_a_native_run_has_threads_and_real_time(run_result: Make) -> None:
    lines = printed(run_result(world="native"))
    assert lines[-2:] == ["1 200 jobs, 2 400 fences, 9 threads", "5.00 s of real time"]


def test_a_client_without_a_cycle_has_no_times(run_result: Make, workload_result: MakeClient) -> None:
    lines = printed(run_result(workloads=(workload_result("game", cycles=0, time_us=None),)))
    assert lines[5].split() == ["game", "0", "59.9", "7", "-", "-", "-", "-", "1.50"]


def test_a_workload_is_told_where_a_client_is_called_otherwise(run_result: Make, workload_result: MakeClient) -> None:
    lines = printed(run_result(workloads=(workload_result("game-1"), workload_result("b"))))
    assert [line.split()[:2] for line in lines[3:7:3]] == [["client", "workload"], ["b", "game"]]


def test_the_clients_that_took_most_of_an_engine_are_named(run_result: Make, workload_result: MakeClient) -> None:
    clients = tuple(workload_result(f"c{number}", gpu_time_us={"rcs0": 1e5 * number}) for number in range(6))
    engine = EngineResult("rcs0", busy_us=1.5e6, busy_pct=30.0, jobs=9)
    idle = EngineResult("bcs0", busy_us=0.0, busy_pct=0.0, jobs=0)
    lines = printed(run_result(workloads=clients, engines=(engine, idle)))
    assert lines[-5].endswith("c5 10.0, c4 8.0, c3 6.0, c2 4.0, 1 more")
    assert lines[-4].split() == ["bcs0", "0", "0", "0.0"]


def test_what_went_wrong_is_told(run_result: Make, workload_result: MakeClient) -> None:
    result = run_result(
        interrupted=True,
        workloads=(workload_result("game", no_effect=("S: no slices",)),),
        statistics=RuntimeStatistics(1200, 1197, 2, 1, 2400, 2400, 9, 1),
    )
    assert printed(result)[-4:] == [
        "1 200 jobs, 2 400 fences, 9 greenlets, 2 errored, 1 cancelled, 1 threads left",
        "5.00 s of virtual time in 0.500 s, 10.0 times real time",
        "interrupted: these are the results so far",
        "game: no effect: S: no slices",
    ]


def test_names_give_way_on_a_narrow_screen_and_figures_do_not(run_result: Make, workload_result: MakeClient) -> None:
    lines = printed(run_result(workloads=(workload_result("a-very-long-name-for-a-client [red]"),)), width=80)
    assert max(map(len, lines)) <= 80
    assert "…" in lines[5]
    assert lines[5].split()[-8:] == ["200", "59.9", "7", "9.88", "9.00", "16.7", "40.0", "1.50"]


def test_what_was_lost_is_told(run_result: Make, workload_result: MakeClient) -> None:
    bad = workload_result("bad", jobs_lost=12, contexts_lost=2, guilty=1, outages_us=(1500.0, 104_000.0))
    gone = workload_result("gone", jobs_lost=1, device_lost=True)
    result = run_result(
        workloads=(bad, workload_result("good"), gone),
        faults=(FaultResult(1.0, "hang", "bad", hit=True), FaultResult(2.0, "engine_reset", "vcs0", hit=False)),
        recoveries=(RecoveryResult(1.1, 250.0, "rcs0", "bad", "reset"),),
    )
    lines = printed(result)
    start = lines.index("faults: 1 hang, 1 engine_reset that struck nothing")
    assert lines[start : start + 7] == [
        "faults: 1 hang, 1 engine_reset that struck nothing",
        "recoveries: 1 reset, the longest took 0.250 ms",
        "",
        "client  jobs lost  contexts lost  outages  longest ms  guilty",
        "─────────────────────────────────────────────────────────────",
        "bad            12              2        2         104       1",
        "gone            1     the device        0           -       0",
    ]
