"""Going through the runs of an experiment, with a bar on a terminal, until all are done or Ctrl-C was pressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from fencepost.lab.process import CtrlC
from fencepost.lab.screen import new_console

__all__ = ["gather"]

R = TypeVar("R")


def gather(runs: Sequence[Callable[[], R]]) -> tuple[list[R], bool]:
    """Do the runs, one after the other. Client context, main thread.

    Returns:
        What came of those that were done, and whether there would have been more.
    """
    found: list[R] = []
    interrupted = False
    with CtrlC() as stop, _bar() as bar:
        task = bar.add_task("", total=len(runs))
        for run in runs:
            found.append(run())
            bar.update(task, advance=1, refresh=True)
            if interrupted := stop.is_set():
                break
    return found, interrupted


def _bar() -> Progress:
    """Return what shows on a terminal how far it is. It starts no thread."""
    console = new_console(stderr=True)
    columns = (BarColumn(), TextColumn("{task.completed} of {task.total} runs"), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, auto_refresh=False, disable=not console.is_terminal)
