"""A bar on the terminal for runs that take a while."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from fencepost.lab.runner import Progress

__all__ = ["ProgressBar"]

PATIENCE_S: Final = 1.0
"""A run that is done by then shows none."""


class ProgressBar:
    """Shows how far one run, or one after the other, has come. Call it with the progress of the current one.

    Life cycle: *new* -> *entered* (by `with`) -> *left*, when the terminal is as before. It starts no thread. Without a
    terminal it shows nothing.

    Args:
        console: where.
        runs: how many there will be.
    """

    def __init__(self, console: Console, *, runs: int = 1) -> None:
        self._console = console
        self._runs = runs
        self._done = 0
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self._bar = Bar(*columns, console=console, transient=True, auto_refresh=False)
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._bar.live.is_started:  # an idle one would leave an empty line behind
            self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        """Show how far the current run is."""
        if not self._console.is_terminal or (self._bar.tasks[0].elapsed or 0.0) < PATIENCE_S:
            return
        known = progress.fraction is not None
        self._bar.start()
        self._bar.update(
            self._task,
            description=f"{progress.elapsed_s:.1f} s, {progress.cycles} cycles",
            total=self._runs if known else None,
            completed=self._done + (progress.fraction or 0.0),
            refresh=True,
        )

    def next_run(self) -> None:
        """Count the current run as done."""
        self._done += 1
