"""How every bench measures: pinned to one core, contenders interleaved, medians of rounds, ratios in one run."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

__all__ = ["Spread", "header", "interleave", "pin", "table"]

Contender = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Spread:
    """The rounds of one contender."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:,.0f} [{self.low:,.0f}..{self.high:,.0f}]"


def pin() -> None:
    """Keep this process on its last core: free runs differ by 10-40 %, pinned ones by 3-7 %."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def interleave(contenders: Mapping[str, Contender], rounds: int) -> dict[str, Spread]:
    """Run all contenders in turn, `rounds` times, so that a slow moment of the machine falls on all of them.

    Each returns its rate or cost of one round. A first round that is not counted warms everything up.
    """
    results: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, contender in contenders.items():
            gc.collect()
            value = contender()
            if turn:
                results[name].append(value)
    return {name: Spread(statistics.median(values), min(values), max(values)) for name, values in results.items()}


def header(title: str, rounds: int) -> str:
    """Say what was measured where, so that a number can be repeated."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    return (
        f"{title}\n{platform.machine()}, {os.cpu_count()} cores, CPython {platform.python_version()}, "
        f"commit {commit.stdout.strip() or 'unknown'}, {rounds} rounds, `{' '.join(sys.orig_argv[1:])}`"
    )


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a title and a table; the first column is left-aligned."""
    print(f"\n{title}")
    view = Table()
    for index, column in enumerate(columns):
        view.add_column(column, justify="right" if index else "left")
    for row in rows:
        view.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 140).print(view)
