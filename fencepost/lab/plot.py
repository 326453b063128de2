"""Writing the picture of a run, or of several. matplotlib is an extra: only who draws imports it."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from fencepost.errors import BadInput
from fencepost.events.kinds import Event
from fencepost.events.whole_file import check_path, whole_file
from fencepost.lab.result import RunResult
from fencepost.lab.setup import Setup
from fencepost.lab.shares_columns import column_of, periods_us
from fencepost.lab.timeline import Timeline

__all__ = ["check_plot_path", "plot_run", "plot_shares"]

OPTION: Final = "--plot"
SUFFIX: Final = ".png"


def check_plot_path(path: str | os.PathLike[str]) -> None:
    """Refuse early, before a long run, what `plot_run` could not draw.

    Raises:
        BadInput: when matplotlib is missing, the name does not end in `.png`, or there is no such directory.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise BadInput(OPTION, "no matplotlib", "it to be there: pip install 'fencepost[plot]'")
    check_path(path, (SUFFIX,), OPTION)


def plot_run(
    events: Iterable[Event], latencies: Mapping[str, Sequence[float]], path: str | os.PathLike[str], title: str
) -> None:
    """Draw a run as a PNG.

    At the top is a timeline, one row an engine, coloured by client. Of a run that is too long for that it shows a part,
    and below it the whole run, as the share of each engine that each client had. At the bottom are the percentiles of
    the time of a cycle: the higher a curve the slower its client, and its right end tells the rare slow cycles.

    Args:
        events: of the run; batches and missed periods are drawn.
        latencies: client -> for each of its cycles how many us it took.
        path: where to, ending in `.png`.
        title: stands above it all.

    Raises:
        BadInput: as `check_plot_path`, and when the file cannot be written.
    """
    check_plot_path(path)
    from fencepost.lab.drawing import draw_run  # noqa: PLC0415 - needs matplotlib

    with whole_file(path, OPTION) as file:
        draw_run(Timeline.of(events), latencies, title, file)


def plot_shares(runs: Mapping[str, RunResult], setup: Setup, path: str | os.PathLike[str]) -> None:
    """Draw what control groups had in several runs as a PNG, with a column for each run.

    At the top is how much of the engines each group had over time, dashed how much it would have had if weights were
    all that counted, and where something about groups was changed. Below it are the frames of the clients in the
    foreground that have a period.

    Args:
        runs: name of a contender -> its run, which kept its events.
        setup: what they have in common.
        path: where to, ending in `.png`.

    Raises:
        BadInput: as `plot_run`.
    """
    check_plot_path(path)
    from fencepost.lab.shares_drawing import draw_shares  # noqa: PLC0415 - needs matplotlib

    columns = [column_of(name, setup, result) for name, result in runs.items()]
    with whole_file(path, OPTION) as file:
        draw_shares(columns, periods_us(setup), setup.title, file)
