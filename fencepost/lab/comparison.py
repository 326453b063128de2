"""One scenario under several policies and controllers, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fencepost.lab.cgroup_report import remarks, share
from fencepost.lab.result import RunResult, WorkloadResult
from fencepost.lab.screen import PIPED_WIDTH, name, new_table
from fencepost.lab.spelling import NONE, count, figure, milliseconds, percent

__all__ = ["Comparison", "print_comparison"]

NAME_WIDTH: Final = 12
"""What is left of a long name where there is no room."""

LEGEND: Final = (
    "GPU%: of the GPU time that all clients took; miss: periods missed; p99: of the times of its cycles, in ms"
)
GROUP_LEGEND: Final = "group: % of the GPU time that all groups took on engines in full use"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same clients, once for each contender: a policy and a controller.

    Args:
        title: what tables call it.
        runs: at least one; fewer than were asked for when it was interrupted.
        left_out: a policy and a controller that do not go together, each.
    """

    title: str
    runs: tuple[RunResult, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def interrupted(self) -> bool:
        return any(run.interrupted for run in self.runs)

    @property
    def policies(self) -> Sequence[str]:
        """The policies, each once."""
        return list(dict.fromkeys(run.policy for run in self.runs))

    @property
    def controllers(self) -> Sequence[str]:
        """The controllers, each once."""
        return list(dict.fromkeys(run.controller for run in self.runs))

    def name(self, run: RunResult) -> str:
        """What a run is called: what sets it apart from the others."""
        if len(self.policies) == 1 and self.controllers != ["none"]:
            return run.controller
        return run.policy if run.controller == "none" else f"{run.policy}/{run.controller}"

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a JSON file: each run as `fencepost run` tells it, and its controller."""
        facts: dict[str, Any] = {
            "title": self.title,
            "runs": [{"controller": run.controller, **run.as_json()} for run in self.runs],
        }
        if self.left_out:
            facts["left_out"] = [{"policy": policy, "controller": controller} for policy, controller in self.left_out]
        return facts


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print a row for each client and a group of columns for each contender, in as many tables as the screen needs.

    Then, where clients are in control groups, a row for each group.
    """
    console.print(Text(comparison.title, style="bold"))
    console.print(Text(f"{_setting(comparison)}\n"))
    at_once, gap = _layout(console, comparison)
    for start in range(0, len(comparison.runs), at_once):
        console.print(_table(comparison, comparison.runs[start : start + at_once], gap), "")
    if len(comparison.runs[0].cgroups) > 1:
        console.print(_groups(comparison), "")
        console.print(Text(GROUP_LEGEND, style="dim"))
    console.print(Text(LEGEND, style="dim"))
    for line in _remarks(comparison):
        console.print(Text(line, style="yellow"))


def _setting(comparison: Comparison) -> str:
    first = comparison.runs[0]
    policy = f"{first.policy} policy, " if comparison.name(first) != first.policy else ""
    return f"{policy}{first.submission} submission, {first.world} world, seed {first.seed}"


def _layout(console: Console, comparison: Comparison) -> tuple[int, int]:
    """Return how many contenders have room beside each other and the gap between columns, long names cut short."""
    runs = comparison.runs
    longest = max(len(each.client) for each in runs[0].workloads)
    room = console.width + max(0, longest - NAME_WIDTH)
    unlimited = console.options.update(width=PIPED_WIDTH)
    layouts = [(size, gap) for size in range(len(runs), 0, -1) for gap in (2, 1)]
    for size, gap in layouts:
        if console.measure(_table(comparison, runs[:size], gap), options=unlimited).maximum <= room:
            return size, gap
    return layouts[-1]


def _table(comparison: Comparison, runs: Sequence[RunResult], gap: int) -> Table:
    table = new_table("\nclient", gap=gap)
    for run in runs:
        for index, heading in enumerate(("GPU%", "per s", "miss", "p99")):
            table.add_column(f"{'' if index else comparison.name(run)}\n{heading}", justify="right", no_wrap=True)
    for row in zip(*(run.workloads for run in runs), strict=True):
        cells = [cell for run, workload in zip(runs, row, strict=True) for cell in _cells(workload, run)]
        table.add_row(name(row[0].client), *cells)
    return table


def _cells(workload: WorkloadResult, run: RunResult) -> Iterator[str]:
    """Yield what is compared. The share is of what all clients took together, on all engines."""
    taken_us = sum(sum(each.gpu_time_us.values()) for each in run.workloads)
    yield percent(sum(workload.gpu_time_us.values()) / taken_us) if taken_us else NONE
    yield figure(workload.cycles_per_s)
    yield count(workload.missed_periods)
    yield milliseconds(workload.time_us.p99) if workload.time_us else NONE


def _groups(comparison: Comparison) -> Table:
    """Return the shares of the groups, but for the root, which has all."""
    table = new_table("group")
    table.add_column("weight", justify="right", no_wrap=True)
    for run in comparison.runs:
        table.add_column(comparison.name(run), justify="right", no_wrap=True)
    for row in zip(*(run.cgroups[1:] for run in comparison.runs), strict=True):
        table.add_row(name(row[0].path), str(row[0].weight), *map(share, row))
    return table


def _remarks(comparison: Comparison) -> Iterator[str]:
    for run in comparison.runs:
        yield from (f"{comparison.name(run)}: {line}" for line in remarks(run))
        if run.deadlock:
            yield f"{comparison.name(run)}: ended in a deadlock"
    if comparison.left_out:
        pairs = ", ".join(f"{policy}/{controller}" for policy, controller in comparison.left_out)
        yield f"left out: {pairs}: such a controller changes the policy fair"
