"""One scenario under several policies, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fencepost.lab.result import RunResult, WorkloadResult
from fencepost.lab.screen import PIPED_WIDTH, name, new_table
from fencepost.lab.spelling import NONE, count, figure, milliseconds, percent

__all__ = ["Comparison", "Contender", "print_comparison"]

NAME_WIDTH: Final = 12
"""What is left of a long name where there is no room."""

LEGEND: Final = (
    "GPU%: of the GPU time that all clients took; miss: periods missed; p99: of the times of its cycles, in ms"
)


@dataclass(frozen=True, slots=True)
class Contender:
    """One run of a comparison.

    Args:
        controller: who shares the engines out among the clients; none leaves that to the policy.
        result: of the run, whose policy it has.
    """

    controller: str
    result: RunResult

    @property
    def name(self) -> str:
        """What a group of columns is called."""
        return self.result.policy if self.controller == "none" else f"{self.result.policy}/{self.controller}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same clients, once for each contender."""

    title: str
    contenders: tuple[Contender, ...]

    @property
    def interrupted(self) -> bool:
        return any(each.result.interrupted for each in self.contenders)

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a JSON file: each run as `fencepost run` tells it, and its controller."""
        runs = [{"controller": each.controller, **each.result.as_json()} for each in self.contenders]
        return {"title": self.title, "runs": runs}


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print a row for each client and a group of columns for each contender, in as many tables as the screen needs."""
    console.print(Text(comparison.title, style="bold"))
    first = comparison.contenders[0].result
    console.print(Text(f"{first.submission} submission, {first.world} world, seed {first.seed}\n"))
    at_once, gap = _layout(console, comparison)
    for start in range(0, len(comparison.contenders), at_once):
        console.print(_table(comparison.contenders[start : start + at_once], gap), "")
    console.print(Text(LEGEND, style="dim"))
    for line in _remarks(comparison):
        console.print(Text(line, style="yellow"))


def _layout(console: Console, comparison: Comparison) -> tuple[int, int]:
    """Return how many contenders have room beside each other and the gap between columns, long names cut short."""
    contenders = comparison.contenders
    longest = max(len(each.client) for each in contenders[0].result.workloads)
    room = console.width + max(0, longest - NAME_WIDTH)
    unlimited = console.options.update(width=PIPED_WIDTH)
    layouts = [(size, gap) for size in range(len(contenders), 0, -1) for gap in (2, 1)]
    for size, gap in layouts:
        if console.measure(_table(contenders[:size], gap), options=unlimited).maximum <= room:
            return size, gap
    return layouts[-1]


def _table(contenders: Sequence[Contender], gap: int) -> Table:
    table = new_table("\nclient", gap=gap)
    for each in contenders:
        for index, heading in enumerate(("GPU%", "per s", "miss", "p99")):
            table.add_column(f"{'' if index else each.name}\n{heading}", justify="right", no_wrap=True)
    for row in zip(*(each.result.workloads for each in contenders), strict=True):
        cells = [cell for each, workload in zip(contenders, row, strict=True) for cell in _cells(workload, each.result)]
        table.add_row(name(row[0].client), *cells)
    return table


def _cells(workload: WorkloadResult, run: RunResult) -> Iterator[str]:
    """Yield what is compared. The share is of what all clients took together, on all engines."""
    taken_us = sum(sum(each.gpu_time_us.values()) for each in run.workloads)
    yield percent(sum(workload.gpu_time_us.values()) / taken_us) if taken_us else NONE
    yield figure(workload.cycles_per_s)
    yield count(workload.missed_periods)
    yield milliseconds(workload.time_us.p99) if workload.time_us else NONE


def _remarks(comparison: Comparison) -> Iterator[str]:
    for each in comparison.contenders:
        if each.result.interrupted:
            yield f"{each.name}: interrupted: these are the results so far"
        if each.result.deadlock:
            yield f"{each.name}: ended in a deadlock"
