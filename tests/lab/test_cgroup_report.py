from __future__ import annotations

import io
from collections.abc import Callable

from rich.console import Console

from fencepost.lab.result import CgroupResult, ChangeResult, RunResult, WorkloadResult
from fencepost.lab.run_report import print_run

Make = Callable[..., RunResult]
MakeClient = Callable[..., WorkloadResult]

ROOT = CgroupResult("/", None, 1_500_000, {"rcs": 1_500_000}, 1.0, 0, 0)
BROWSER = CgroupResult("/browser", 200, 1_000_000, {"rcs": 1_000_000}, 0.6667, 0, 0)
CAPPED = CgroupResult("/A/B", 50, 500_000, {"rcs": 500_000}, 0.3333, 12, 345_678)


def printed(result: RunResult) -> list[str]:
    console = Console(file=io.StringIO(), width=120, _environ={})
    print_run(console, result)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_groups_are_told_of(run_result: Make, workload_result: MakeClient) -> None:
    workloads = (workload_result("game", cgroup="/browser"), workload_result("hog", name="x", cgroup="/"))
    lines = printed(run_result(workloads=workloads, controller="v6", driver="i915", cgroups=(ROOT, BROWSER)))
    assert lines[1].startswith("fair policy, controller v6, driver i915, ring submission, virtual world")
    assert [line.split()[:3] for line in lines[3:7] if "─" not in line] == [
        ["client", "workload", "group"],
        ["game", "game", "/browser"],
        ["hog", "x", "/"],
    ]
    assert "group     weight  GPU s  share %" in lines
    assert "/browser     200   1.00     66.7" in lines


def test_caps_are_told_of_where_they_held_somebody_back(run_result: Make) -> None:
    lines = printed(run_result(controller="hweight", driver="i915", cgroups=(ROOT, BROWSER, CAPPED)))
    assert "group     weight  GPU s  share %  held back  for ms" in lines
    assert "/A/B          50  0.500     33.3         12     346" in lines


def test_what_was_changed_and_what_was_not(run_result: Make) -> None:
    changes = (
        ChangeResult(1.0, "A/drm.weight=1", "done"),
        ChangeResult(2.0, "game -> A", "done"),
        ChangeResult(3.0, "game -> B", "ESRCH"),
        ChangeResult(9.0, "A/drm.weight=2", "not reached"),
    )
    lines = printed(run_result(controller="hweight", driver="i915", cgroups=(ROOT,), changes=changes))
    assert "changed: A/drm.weight=1 at 1.00 s, game -> A at 2.00 s" in lines
    assert lines[-2:] == ["game -> B at 3.00 s: ESRCH", "A/drm.weight=2 at 9.00 s: not reached"]


def test_a_controller_without_effect_says_so(run_result: Make) -> None:
    facts = {"controller": "hweight", "driver": "i915", "submission": "guc", "cgroups": (ROOT,)}
    reason = "it divides what entities share, and each queue of a firmware has one"
    assert printed(run_result(**facts))[-1] == f"the controller hweight has no effect: {reason}"
