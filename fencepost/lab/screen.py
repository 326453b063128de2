"""The terminal, or what stands in for it: consoles and the one look of all tables."""

from __future__ import annotations

import sys

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["PIPED_WIDTH", "name", "new_console", "new_table"]

PIPED_WIDTH = 1000
"""Nobody reads a pipe by its width, so nothing is cut short there."""


def new_console(*, stderr: bool = False) -> Console:
    """Return a console for standard output or standard error as they are now."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def new_table(*names: str, gap: int = 2) -> Table:
    """Return an empty table whose first columns hold names, which give way when the screen is narrow.

    Args:
        names: the headings of the first columns.
        gap: blanks between columns, at least one.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, gap - 1, 0, 0))
    for heading in names:
        table.add_column(heading, min_width=6)
    return table


def name(text: str) -> Text:
    """Return the cell for a name that a person chose: taken as it is, on one line, cut short where there is no room."""
    return Text(text, no_wrap=True, overflow="ellipsis")
